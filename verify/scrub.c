/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's scrub of every device of a btrfs, read-only: nothing is repaired under the eyes of the other
 * verifiers. It reads every copy of data and metadata and compares it with its checksum, so it sees the copy
 * that no reader happened to use; it says nothing about data without checksums. It follows what is committed,
 * so everything is committed first: the verifiers before it in the list have seen what was dirty.
 */
#include <errno.h>
#include <linux/btrfs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "src/base/units.h"
#include "verify/check.h"
#include "verify/devices.h"

/* How often progress is read and the end of the run looked for. */
#define POLL_MS 20

struct scrub {
	struct check *check;
	int fd;
	struct device device;
	struct btrfs_ioctl_scrub_args args;
	int err; /* of the ioctl */
};

/* The ioctl lasts as long as the scrub. */
static void *scrub_thread(void *self)
{
	struct scrub *s = self;

	s->err = ioctl(s->fd, BTRFS_IOC_SCRUB, &s->args) < 0 ? errno : 0;
	return NULL;
}

static uint64_t scrubbed(const struct btrfs_scrub_progress *p)
{
	return p->data_bytes_scrubbed + p->tree_bytes_scrubbed;
}

static void count_progress(struct scrub *s, uint64_t *counted, uint64_t now)
{
	if (now > *counted) {
		s->check->v->counters->scrubbed += now - *counted;
		*counted = now;
	}
}

/* Not before it began (ENOTCONN) nor after it ended is there any progress to ask for. */
static void ask_progress(struct scrub *s, uint64_t *counted)
{
	struct btrfs_ioctl_scrub_args now = {.devid = s->device.devid};

	if (ioctl(s->fd, BTRFS_IOC_SCRUB_PROGRESS, &now) == 0)
		count_progress(s, counted, scrubbed(&now.progress));
}

static bool joined(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += POLL_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

/* ---- what came of it */

struct count {
	uint64_t number;
	const char *what;
};

static void add_counts(char *text, size_t len, const struct btrfs_scrub_progress *p)
{
	const struct count counts[] = {
		{p->read_errors, "read"},
		{p->csum_errors, "checksum"},
		{p->verify_errors, "metadata"},
		{p->super_errors, "superblock"},
		{p->uncorrectable_errors, "uncorrectable"},
		{p->corrected_errors, "correctable"},
		{p->unverified_errors, "unverified"},
	};
	size_t used = strlen(text);
	const char *comma = ": ";

	for (size_t i = 0; i < ARRAY_SIZE(counts) && used < len; i++) {
		if (!counts[i].number)
			continue;
		used += (size_t)snprintf(text + used, len - used, "%s%llu %s error%s", comma,
					 (unsigned long long)counts[i].number, counts[i].what,
					 counts[i].number == 1 ? "" : "s");
		comma = ", ";
	}
}

static bool has_errors(const struct btrfs_scrub_progress *p)
{
	return p->read_errors || p->csum_errors || p->verify_errors || p->super_errors ||
	       p->uncorrectable_errors || p->corrected_errors || p->unverified_errors;
}

static void report(struct scrub *s, enum finding_class class, const char *end)
{
	const struct btrfs_scrub_progress *p = &s->args.progress;
	char data[32], tree[32];
	struct finding f;
	size_t used;

	memset(&f, 0, sizeof(f));
	f.class = class;
	f.still = true;
	snprintf(f.detail, sizeof(f.detail), "scrub of device %llu (%s)%s",
		 (unsigned long long)s->device.devid, s->device.path, end);
	add_counts(f.detail, sizeof(f.detail), p);
	used = strlen(f.detail);
	snprintf(f.detail + used, sizeof(f.detail) - used,
		 "; it read %s of data and %s of metadata with all their copies",
		 units_show_size(data, sizeof(data), p->data_bytes_scrubbed),
		 units_show_size(tree, sizeof(tree), p->tree_bytes_scrubbed));
	check_emit(s->check, &f);
}

/* A scrub that ends early has not looked at all: no errors in it mean nothing, and on a sound filesystem
 * nothing ends one. */
static int judge(struct scrub *s, struct error *e)
{
	char end[128];

	if (s->err == ECANCELED && check_stopped(s->check))
		return 0;
	if (s->err == ENOMEM || s->args.progress.malloc_errors)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "scrub of %s", s->device.path);
	if (s->err == ENOTTY || s->err == EOPNOTSUPP || s->err == EPERM || s->err == EINPROGRESS)
		return error_errno(e, EXIT_CANNOT, s->err, "scrub of %s", s->device.path);
	if (s->err) {
		snprintf(end, sizeof(end), " aborted (%s)", strerror(s->err));
		report(s, check_errno_class(s->err), end);
	} else if (has_errors(&s->args.progress)) {
		report(s, FINDING_FSCK, "");
	}
	return 0;
}

static int scrub_device(void *self, const struct device *d, struct error *e)
{
	struct scrub *s = self;
	uint64_t counted = 0;
	pthread_t thread;
	int err;

	if (!d->path[0] || check_stopped(s->check))
		return 0;
	s->device = *d;
	s->args = (struct btrfs_ioctl_scrub_args){
		.devid = d->devid, .end = UINT64_MAX, .flags = BTRFS_SCRUB_READONLY};
	err = pthread_create(&thread, NULL, scrub_thread, s);
	if (err)
		return error_errno(e, EXIT_HARNESS, err, "a thread for the scrub of %s", d->path);
	while (!joined(thread)) {
		ask_progress(s, &counted);
		/* Again until it is heard: before the scrub began there is nothing to cancel. */
		if (check_stopped(s->check))
			ioctl(s->fd, BTRFS_IOC_SCRUB_CANCEL);
	}
	count_progress(s, &counted, scrubbed(&s->args.progress));
	return judge(s, e);
}

/* A scrub sees what is committed, and no more. */
static void commit(struct scrub *s)
{
	struct finding f;

	if (syncfs(s->fd) == 0)
		return;
	memset(&f, 0, sizeof(f));
	f.class = check_errno_class(errno);
	f.still = true;
	snprintf(f.detail, sizeof(f.detail), "the commit before the scrub failed: syncfs: %s",
		 strerror(errno));
	check_emit(s->check, &f);
}

static int scrub_run(struct verification *v, struct error *e)
{
	struct scrub s;
	struct check c;
	int rc;

	memset(&s, 0, sizeof(s));
	check_start(&c, v, "scrub", v->when == VERIFY_REMOUNTED ? SEEN_FRESH : SEEN_COLD);
	s.check = &c;
	s.fd = devices_open(v->mount, e);
	if (s.fd < 0)
		return -1;
	commit(&s);
	rc = devices_each(s.fd, scrub_device, &s, e);
	close(s.fd);
	check_end(&c);
	return rc;
}

const struct verifier verifier_scrub = {
	.name = "scrub",
	.summary = "btrfs scrub, read-only: every copy of data and metadata against its checksum",
	.needs = NEED_ROOT | NEED_BTRFS | NEED_OWN_TARGET,
	.when = VERIFY_MOUNTED,
	.run = scrub_run,
};
