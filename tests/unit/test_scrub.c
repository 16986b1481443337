/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scrub and devstats on a real btrfs whose data and metadata have two copies each. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/unit/real.h"
#include "tests/unit/unit.h"
#include "verify/verifier.h"

extern const struct verifier verifier_scrub, verifier_devstats;

#define FILE_BYTES (8 * MiB)

struct world {
	char dir[64], device[64];
	struct verify_counters counters;
	struct finding found[4];
	unsigned int count;
	_Atomic bool stop;
	struct target target;
	int mount;
};

static void collect(void *self, const struct finding *f)
{
	struct world *w = self;

	if (w->count < ARRAY_SIZE(w->found))
		w->found[w->count] = *f;
	w->count++;
}

static void shell(const char *text)
{
	if (system(text) != 0)
		fail_msg("failed: %s", text);
}

static struct verification verification(struct world *w, const struct finding_sink *sink)
{
	w->count = 0;
	return (struct verification){
		.target = &w->target,
		.mount = w->mount,
		.threads = 1,
		.findings = sink,
		.counters = &w->counters,
		.stop = &w->stop,
	};
}

static unsigned int run(struct world *w, const struct verifier *verifier)
{
	const struct finding_sink sink = {collect, w};
	struct verification v = verification(w, &sink);
	struct error e;

	if (verifier->run(&v, &e))
		fail_msg("%s: %s", verifier->name, e.text);
	return w->count;
}

static int start(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char line[512], file[128];
	FILE *out;

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	take_real_machine();
	snprintf(w->dir, sizeof(w->dir), "/tmp/recow-scrub-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(line, sizeof(line),
		 "cd %s && mkdir mnt && truncate -s 512M image && mkfs.btrfs -q -d dup -m dup image && mount "
		 "-o loop,nodiscard image mnt && losetup -nO NAME -j $PWD/image >device",
		 w->dir);
	shell(line);
	snprintf(file, sizeof(file), "%s/device", w->dir);
	out = fopen(file, "r");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%63s", w->device), 1);
	fclose(out);
	snprintf(line, sizeof(line), "head -c %llu /dev/urandom >%s/mnt/file && sync -f %s/mnt",
		 (unsigned long long)FILE_BYTES, w->dir, w->dir);
	shell(line);
	snprintf(file, sizeof(file), "%s/mnt", w->dir);
	w->mount = open(file, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->mount >= 0);
	w->target.btrfs = true;
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	char line[256];

	close(w->mount);
	snprintf(line, sizeof(line), "umount %s/mnt; rm -r %s", w->dir, w->dir);
	shell(line);
	free(w);
	return 0;
}

static uint64_t copy_of(const struct world *w, unsigned int mirror)
{
	int fd = openat(w->mount, "file", O_RDONLY);
	struct target_address a;
	struct error e;

	assert_int_equal(target_locate(&w->target, fd, 1 * MiB, &a, &e), 0);
	close(fd);
	assert_int_equal(a.mirrors, 2);
	return a.mirror[mirror].physical;
}

/* Change the first byte of a block on the device. */
static void damage(const struct world *w, uint64_t physical)
{
	unsigned char *block = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);
	int fd = open(w->device, O_RDWR | O_DIRECT);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, block, BLOCK_SIZE, (off_t)physical), BLOCK_SIZE);
	block[0] ^= 0xff;
	assert_int_equal(pwrite(fd, block, BLOCK_SIZE, (off_t)physical), BLOCK_SIZE);
	close(fd);
	free(block);
}

static void healthy_is_silent(void **state)
{
	struct world *w = *state;
	const struct finding_sink sink = {collect, w};
	struct verification v = verification(w, &sink);
	struct error e;

	assert_int_equal(verifier_devstats.begin(&v, &e), 0);
	assert_int_equal(run(w, &verifier_scrub), 0);
	assert_true(atomic_load(&w->counters.scrubbed) >= 2 * FILE_BYTES);
	assert_int_equal(run(w, &verifier_devstats), 0);
}

/* One of two copies: no reader of the other one would ever notice. Read-only, so it stays as it is. */
static void one_bad_copy(void **state)
{
	struct world *w = *state;

	damage(w, copy_of(w, 1));
	for (unsigned int again = 0; again < 2; again++) {
		assert_int_equal(run(w, &verifier_scrub), 1);
		assert_int_equal(w->found[0].class, FINDING_FSCK);
		assert_int_equal(w->found[0].place, SEEN_COLD);
		assert_non_null(strstr(w->found[0].detail, w->device));
		assert_non_null(strstr(w->found[0].detail, "checksum error"));
		assert_null(strstr(w->found[0].detail, "uncorrectable"));
	}
	/* The scrub counted it against the device; what grew is told once. */
	assert_int_equal(run(w, &verifier_devstats), 1);
	assert_int_equal(w->found[0].class, FINDING_EIO);
	assert_non_null(strstr(w->found[0].detail, "corruption errors"));
	assert_non_null(strstr(w->found[0].detail, w->device));
	assert_int_equal(run(w, &verifier_devstats), 0);
}

static void both_copies_bad(void **state)
{
	struct world *w = *state;

	damage(w, copy_of(w, 0));
	assert_int_equal(run(w, &verifier_scrub), 1);
	assert_non_null(strstr(w->found[0].detail, "uncorrectable"));
}

/* A run that ends takes its scrub along: no finding, no error. */
static void stopped(void **state)
{
	struct world *w = *state;

	atomic_store(&w->stop, true);
	assert_int_equal(run(w, &verifier_scrub), 0);
	atomic_store(&w->stop, false);
}

/* Slow down the scrub of device 1, to bytes in a second; 0: as fast as it can be. False: this kernel can't.
 */
static bool limit_scrub(const struct world *w, unsigned long long bytes)
{
	struct btrfs_ioctl_fs_info_args info = {0};
	char path[160], fsid[37] = "";
	int fd = openat(w->mount, ".", O_RDONLY | O_DIRECTORY), written;
	size_t used = 0;
	FILE *out;

	assert_int_equal(ioctl(fd, BTRFS_IOC_FS_INFO, &info), 0);
	close(fd);
	for (unsigned int i = 0; i < BTRFS_FSID_SIZE; i++)
		used += (size_t)snprintf(fsid + used, sizeof(fsid) - used,
					 i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
					 info.fsid[i]);
	snprintf(path, sizeof(path), "/sys/fs/btrfs/%s/devinfo/1/scrub_speed_max", fsid);
	out = fopen(path, "w");
	if (!out)
		return false;
	written = fprintf(out, "%llu", bytes);
	return fclose(out) == 0 && written > 0;
}

static void *stop_soon(void *self)
{
	struct world *w = self;

	while (!atomic_load(&w->counters.scrubbed))
		usleep(1000);
	atomic_store(&w->stop, true);
	return NULL;
}

/* In the midst of it, too: at this speed the whole of it would take half a minute. */
static void cancelled(void **state)
{
	struct world *w = *state;
	pthread_t thread;

	if (!limit_scrub(w, 1 * MiB))
		skip();
	memset(&w->counters, 0, sizeof(w->counters));
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, w), 0);
	assert_int_equal(run(w, &verifier_scrub), 0);
	pthread_join(thread, NULL);
	assert_true(atomic_load(&w->counters.scrubbed) < 2 * FILE_BYTES);
	atomic_store(&w->stop, false);
	assert_true(limit_scrub(w, 0));
}

/* What the past left in the counters is not this run's. */
static void old_counts_do_not_count(void **state)
{
	struct world *w = *state;
	const struct finding_sink sink = {collect, w};
	struct verification v;
	struct error e;

	memset(&w->counters, 0, sizeof(w->counters));
	v = verification(w, &sink);
	assert_int_equal(verifier_devstats.begin(&v, &e), 0);
	assert_int_equal(run(w, &verifier_devstats), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_is_silent), cmocka_unit_test(one_bad_copy),
		cmocka_unit_test(both_copies_bad),   cmocka_unit_test(stopped),
		cmocka_unit_test(cancelled),         cmocka_unit_test(old_counts_do_not_count),
	};

	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, start, end);
}
