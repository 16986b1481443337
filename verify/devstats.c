/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error counters that btrfs keeps of each device. They outlive mounts, so what counts is how much they
 * grew since the run began.
 */
#include <errno.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "verify/check.h"
#include "verify/devices.h"

_Static_assert(BTRFS_DEV_STAT_VALUES_MAX <= VERIFY_KEPT, "the counters fit into what is kept between rounds");

static const char *const names[BTRFS_DEV_STAT_VALUES_MAX] = {
	[BTRFS_DEV_STAT_WRITE_ERRS] = "write errors",
	[BTRFS_DEV_STAT_READ_ERRS] = "read errors",
	[BTRFS_DEV_STAT_FLUSH_ERRS] = "flush errors",
	[BTRFS_DEV_STAT_CORRUPTION_ERRS] = "corruption errors (a block that is not what it should be)",
	[BTRFS_DEV_STAT_GENERATION_ERRS] = "generation errors (a block that was never written)",
};

struct stats {
	int fd;
	uint64_t sum[BTRFS_DEV_STAT_VALUES_MAX]; /* over all devices */
	char devices[256];                       /* those with a counter that is not zero */
};

static int add_device(void *self, const struct device *d, struct error *e)
{
	struct btrfs_ioctl_get_dev_stats get = {.devid = d->devid, .nr_items = BTRFS_DEV_STAT_VALUES_MAX};
	struct stats *s = self;
	size_t used = strlen(s->devices);
	bool any = false;

	/* A missing device has none. */
	if (ioctl(s->fd, BTRFS_IOC_GET_DEV_STATS, &get) < 0)
		return errno == ENODEV
			       ? 0
			       : error_errno(e, EXIT_CANNOT, errno, "BTRFS_IOC_GET_DEV_STATS of %s", d->path);
	for (unsigned int i = 0; i < BTRFS_DEV_STAT_VALUES_MAX; i++) {
		s->sum[i] += get.values[i];
		any |= get.values[i] != 0;
	}
	if (any)
		snprintf(s->devices + used, sizeof(s->devices) - used, "%sdevice %llu (%s)", used ? ", " : "",
			 (unsigned long long)d->devid, d->path);
	return 0;
}

static int take(struct verification *v, struct stats *s, struct error *e)
{
	int rc;

	memset(s, 0, sizeof(*s));
	s->fd = devices_open(v->mount, e);
	if (s->fd < 0)
		return -1;
	rc = devices_each(s->fd, add_device, s, e);
	close(s->fd);
	return rc;
}

static int devstats_begin(struct verification *v, struct error *e)
{
	struct stats s;

	if (take(v, &s, e))
		return -1;
	for (unsigned int i = 0; i < BTRFS_DEV_STAT_VALUES_MAX; i++)
		v->counters->kept[i] = s.sum[i];
	return 0;
}

/* Each growth is told once. */
static int devstats_run(struct verification *v, struct error *e)
{
	struct finding f = {.class = FINDING_EIO, .still = true};
	size_t used = 0;
	struct stats s;
	struct check c;

	if (take(v, &s, e))
		return -1;
	check_start(&c, v, "devstats", SEEN_NOWHERE);
	for (unsigned int i = 0; i < BTRFS_DEV_STAT_VALUES_MAX; i++) {
		uint64_t before = v->counters->kept[i];

		if (s.sum[i] <= before)
			continue;
		used += (size_t)snprintf(f.detail + used, sizeof(f.detail) - used, "%s%llu more %s",
					 used ? ", " : "", (unsigned long long)(s.sum[i] - before), names[i]);
		v->counters->kept[i] = s.sum[i];
	}
	if (used) {
		snprintf(f.detail + used, sizeof(f.detail) - used, " on %s", s.devices);
		check_emit(&c, &f);
	}
	check_end(&c);
	return 0;
}

const struct verifier verifier_devstats = {
	.name = "devstats",
	.summary = "btrfs's error counters of each device: none may grow",
	.needs = NEED_ROOT | NEED_BTRFS,
	.when = VERIFY_MOUNTED,
	.begin = devstats_begin,
	.run = devstats_run,
};
