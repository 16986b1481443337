/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Damage in the image, behind the mount's back; and what of a file is not on disk as it is. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

static struct target_address locate(const struct world *w, const char *path, uint64_t offset)
{
	int fd = openat(w->mount, path, O_RDONLY);
	struct target_address a;
	struct error e;

	if (target_locate(&w->target, fd, offset, &a, &e) != 0)
		fail_msg("%s", e.text);
	close(fd);
	assert_int_equal(a.mirrors, 1);
	return a;
}

/* Loop devices are shared with the rest of the machine: write only to the one that has our image behind it.
 */
static void assert_our_device(const struct world *w)
{
	char path[128], backing[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", strrchr(w->target.device, '/') + 1);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(backing, sizeof(backing), file));
	fclose(file);
	backing[strcspn(backing, "\n")] = '\0';
	assert_string_equal(backing, w->image);
}

static void damage(const struct world *w, uint64_t physical, const void *data)
{
	int fd = open(w->target.device, O_RDWR | O_DIRECT);
	unsigned char *aligned = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);

	assert_our_device(w);
	assert_true(fd >= 0);
	memcpy(aligned, data, BLOCK_SIZE);
	assert_int_equal(pwrite(fd, aligned, BLOCK_SIZE, (off_t)physical), BLOCK_SIZE);
	free(aligned);
	close(fd);
}

/* Wrong on disk while the cache is right: only a cold look sees it, and says so. */
static void damage_in_the_image(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->big);
	unsigned char right[BLOCK_SIZE], wrong[BLOCK_SIZE];
	uint64_t offset = 20 * MiB, physical;
	struct target_address address;
	const struct finding *f;

	assert_int_equal(syncfs(w->mount), 0);
	address = locate(w, path, offset);
	physical = address.mirror[0].physical;
	assert_int_not_equal(address.logical, physical);
	read_back(w, path, offset, right, sizeof(right));
	fill(0, 1, w->big, offset, wrong, sizeof(wrong));
	damage(w, physical, wrong);
	silent(w, "hot");
	run(w, "cold");
	f = only(w, FINDING_STALE, path);
	assert_int_equal(f->mirrors, 1);
	assert_int_equal(f->mirror[0].physical, physical);
	assert_non_null(strstr(f->detail, "now wrong on disk only"));
	unmount_world(w);
	mount_world(w, ",nodatasum");
	run(w, "remount");
	f = only(w, FINDING_STALE, path);
	assert_int_equal(f->place, SEEN_FRESH);
	assert_int_equal(f->mirror[0].physical, physical);
	assert_non_null(strstr(f->detail, "now wrong in the page cache and on disk"));
	damage(w, physical, right);
	silent(w, "cold");
	unmount_world(w);
	mount_world(w, ",nodatasum");
	silent(w, "remount");
}

/* On checksummed data the same is an input error; what lies around it is compared all the same. */
static void damage_of_checksummed_data_is_eio(void **state)
{
	struct world *w = *state;
	unsigned char right[BLOCK_SIZE], wrong[BLOCK_SIZE] = {1};
	uint64_t physical, bytes;
	uint32_t object;
	const struct finding *f;

	unmount_world(w);
	mount_world(w, ",datasum");
	object = make_file(w, 0, OBJECT_ROOT, 21, 4 * MiB);
	learn_times(w);
	assert_int_equal(syncfs(w->mount), 0);
	physical = locate(w, path_of(w, 0, object), 2 * MiB).mirror[0].physical;
	read_back(w, path_of(w, 0, object), 2 * MiB, right, sizeof(right));
	damage(w, physical, wrong);
	run(w, "cold");
	f = only(w, FINDING_EIO, path_of(w, 0, object));
	assert_int_equal(f->offset, 2 * MiB);
	assert_int_equal(f->length, BLOCK_SIZE);
	bytes = bytes_of_all(w) - BLOCK_SIZE;
	assert_in_range(w->counters.bytes, bytes - 60000, bytes);
	unmount_world(w);
	mount_world(w, ",datasum");
	run(w, "remount");
	f = only(w, FINDING_EIO, path_of(w, 0, object));
	assert_int_equal(f->offset, 2 * MiB);
	assert_int_equal(f->mirror[0].physical, physical);
	damage(w, physical, right);
}

/* ---- what a direct read can't fetch */

static uint64_t encoded(const struct world *w, const struct target *t, const char *path)
{
	int fd = openat(w->mount, path, O_RDONLY);
	struct stat st;
	uint64_t bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = target_encoded_bytes(t, fd, (uint64_t)st.st_size);
	close(fd);
	return bytes;
}

/* By the tree and by FIEMAP. */
static void assert_encoded(const struct world *w, const char *path, uint64_t bytes)
{
	static const struct target any;

	assert_int_equal(encoded(w, &w->target, path), bytes);
	assert_int_equal(encoded(w, &any, path), bytes);
}

static void inline_and_compressed_bytes_are_told(void **state)
{
	struct world *w = *state;

	assert_int_equal(syncfs(w->mount), 0);
	assert_encoded(w, path_of(w, 0, w->small), 100);
	assert_encoded(w, path_of(w, 0, w->big), 0);
	assert_encoded(w, path_of(w, 0, w->sparse), 0);
	unmount_world(w);
	mount_world(w, ",datasum,compress-force=zlib");
	shell("cd %s && yes | head -c 3000001 > lost+found && truncate -s 5000000 lost+found && sync -f .",
	      w->mnt);
	assert_encoded(w, "lost+found", 3002368); /* whole blocks */
	shell("cd %s && yes | head -c 1000000 > lost+found && sync -f .", w->mnt);
	assert_encoded(w, "lost+found", 1000000);
	shell("cd %s && truncate -s 0 lost+found", w->mnt);
	assert_encoded(w, "lost+found", 0);
	assert_int_equal(unlinkat(w->mount, "lost+found", 0), 0);
	unmount_world(w);
	mount_world(w, ",nodatasum");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_in_the_image),
		cmocka_unit_test(inline_and_compressed_bytes_are_told),
		cmocka_unit_test(damage_of_checksummed_data_is_eio),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	return cmocka_run_group_tests_name("verify_disk", tests, world_start, world_end);
}
