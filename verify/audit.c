/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The on-disk audit (src/audit/) of the target: at each barrier while the filesystem is frozen, which commits
 * the transaction and keeps the trees as they are, and once more at the end on the unmounted device, with a
 * look at the blocks that nothing points to any more. It sees the block that went to disk unmarked or was
 * changed in place while the running kernel still works from its cache.
 *
 * Findings wait until the thaw: only if the filesystem was frozen all the time was what was read one state.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "src/audit/audit.h"
#include "src/base/clock.h"
#include "src/machine/machine.h"
#include "verify/check.h"
#include "verify/devices.h"

/* How long the workers may be kept waiting; the guard gives no more. */
#define PAUSE (60 * NSEC_PER_SEC)

#define EACH_RULE 20U /* findings of one rule that are told one by one */
#define WAITING   400U

/* Where the numbers of the devices are kept while nothing is mounted (counters->kept): how many, then each.
 */
#define DEVICES (VERIFY_KEPT - 1)

struct audited {
	struct check *check;
	char path[DEVICES][256];
	size_t devices;
	struct audit_finding *waiting;
	size_t count, more;
	struct audit_result result;
	uint64_t counted; /* blocks that the counters have already */
};

/* ---- which devices */

static int take_device(void *self, const struct device *d, struct error *e)
{
	struct audited *a = self;

	if (!d->path[0])
		return error_set(e, EXIT_CANNOT, "device %" PRIu64 " of the target is missing", d->devid);
	if (a->devices == DEVICES)
		return error_set(e, EXIT_CANNOT, "the target has more than %d devices", DEVICES);
	snprintf(a->path[a->devices++], sizeof(a->path[0]), "%s", d->path);
	return 0;
}

static void keep_devices(const struct audited *a, struct verify_counters *c)
{
	struct stat st;

	for (size_t i = 0; i < a->devices; i++)
		c->kept[1 + i] = stat(a->path[i], &st) ? 0 : st.st_rdev;
	c->kept[0] = a->devices;
}

/* The kernel's name of a device: /dev/block/ is udev's, and may not be there. */
static bool name_device(char *path, size_t len, dev_t device)
{
	char link[64], target[256];
	const char *name;
	ssize_t n;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(device), minor(device));
	n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	name = strrchr(target, '/');
	return name && snprintf(path, len, "/dev/%s", name + 1) < (int)len;
}

/* Unmounted: those that were seen when it was mounted, or the one that is known. */
static int recall_devices(struct audited *a, const struct verification *v, struct error *e)
{
	a->devices = (size_t)MIN(v->counters->kept[0], (uint64_t)DEVICES);
	for (size_t i = 0; i < a->devices; i++) {
		if (!name_device(a->path[i], sizeof(a->path[i]), (dev_t)v->counters->kept[1 + i]))
			return error_set(e, EXIT_CANNOT, "a device of the target is gone");
	}
	if (!a->devices)
		snprintf(a->path[a->devices++], sizeof(a->path[0]), "%s", v->target->device);
	return 0;
}

/* ---- what is found */

static void found(void *context, const struct audit_finding *f)
{
	struct audited *a = context;

	if (a->count < WAITING)
		a->waiting[a->count++] = *f;
	else
		a->more++;
}

static void progress(void *context, const char *stage, uint64_t blocks)
{
	struct audited *a = context;

	if (blocks > a->counted)
		atomic_fetch_add(&a->check->v->counters->audited, blocks - a->counted);
	a->counted = MAX(a->counted, blocks);
}

/* A path from the top of the filesystem, as it is seen from the mount point. */
static const char *inside(const struct target *t, const char *path)
{
	size_t n = strlen(t->subdir);

	return n && strncmp(path, t->subdir, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static void tell_found(struct audited *a, const struct audit_finding *found)
{
	struct check *c = a->check;
	struct finding *f = calloc(1, sizeof(*f));
	char text[sizeof(f->detail)];

	if (!f) {
		a->more++;
		return;
	}
	f->class = FINDING_FSCK;
	f->still = true;
	f->inode = found->inode;
	snprintf(f->path, sizeof(f->path), "%s", inside(c->v->target, found->path));
	snprintf(f->detail, sizeof(f->detail), "%s", audit_describe(text, sizeof(text), found));
	check_emit(c, f);
	free(f);
}

static void tell_all(struct audited *a)
{
	struct check *c = a->check;
	uint64_t told = 0;

	for (size_t i = 0; i < a->count; i++, told++)
		tell_found(a, &a->waiting[i]);
	for (unsigned int i = 0; i < RULES; i++) {
		if (a->result.by_rule[i] > EACH_RULE)
			a->more += a->result.by_rule[i] - EACH_RULE;
	}
	if (a->more)
		check_report_path(c, "", "", FINDING_FSCK,
				  "%zu more findings of the audit are not told one by one; recow audit --all "
				  "tells them",
				  a->more);
}

/* ---- looking */

static int look(struct audited *a, bool scan, struct error *e)
{
	struct verification *v = a->check->v;
	const struct audit_options o = {.threads = v->threads,
					.scan = scan,
					.limit = EACH_RULE,
					.stop = v->stop,
					.context = a,
					.found = found,
					.progress = progress};
	const char *paths[DEVICES];

	for (size_t i = 0; i < a->devices; i++)
		paths[i] = a->path[i];
	if (audit_run(paths, a->devices, &o, &a->result, e))
		return -1;
	/* What was looked at beside the trees has moved the count on, too. */
	atomic_fetch_add(&v->counters->audited, a->result.blocks - a->counted);
	if (a->result.refused)
		return error_set(e, EXIT_CANNOT, "not audited: %s", a->result.unchecked[0]);
	return 0;
}

static void count_pause(struct verify_counters *c, uint64_t ns)
{
	atomic_fetch_add(&c->pauses, 1);
	atomic_fetch_add(&c->pause_ns, ns);
	if (ns > atomic_load(&c->pause_max_ns)) /* one turn at a time */
		atomic_store(&c->pause_max_ns, ns);
}

/* FIFREEZE that the filesystem refuses or that does not come about: the guard knows how it went, and says so
 * on the timeline. Where the run is ending there is nothing more to see. */
static int frozen_look(struct audited *a, int root, struct error *e)
{
	struct verification *v = a->check->v;
	uint64_t began;
	int err = machine_freeze(v->machine, root, PAUSE), result;

	if (err == ECANCELED)
		return 0;
	if (err)
		return error_errno(e, err == EPERM ? EXIT_CANNOT : EXIT_HARNESS, err, "freezing the target");
	began = clock_mono();
	result = look(a, false, e);
	err = machine_thaw(v->machine);
	count_pause(v->counters, clock_mono() - began);
	if (result)
		return check_stopped(a->check) ? 0 : -1;
	if (err == ETIME && check_stopped(a->check))
		return 0;
	if (err)
		return error_errno(e, EXIT_CANNOT, err,
				   "the target was thawed before its %" PRIu64 " blocks were audited",
				   a->result.blocks);
	tell_all(a);
	return 0;
}

static int look_mounted(struct audited *a, struct error *e)
{
	struct verification *v = a->check->v;
	int root = devices_open(v->mount, e), rc;

	if (root < 0)
		return -1;
	rc = devices_each(root, take_device, a, e);
	if (!rc) {
		keep_devices(a, v->counters);
		rc = frozen_look(a, root, e);
	}
	close(root);
	return rc;
}

static int look_unmounted(struct audited *a, struct error *e)
{
	if (recall_devices(a, a->check->v, e))
		return -1;
	if (look(a, true, e))
		return check_stopped(a->check) ? 0 : -1;
	tell_all(a);
	return 0;
}

static int run(struct verification *v, struct error *e)
{
	struct audited *a = calloc(1, sizeof(*a));
	bool mounted = v->when == VERIFY_ROUND;
	struct check c;
	int rc = -1;

	if (a)
		a->waiting = malloc(WAITING * sizeof(*a->waiting));
	if (!a || !a->waiting) {
		error_errno(e, EXIT_HARNESS, ENOMEM, "findings of the audit");
	} else {
		check_start(&c, v, "audit", mounted ? SEEN_COLD : SEEN_OFFLINE);
		a->check = &c;
		rc = mounted ? look_mounted(a, e) : look_unmounted(a, e);
		check_end(&c);
	}
	if (a)
		free(a->waiting);
	free(a);
	return rc;
}

const struct verifier verifier_audit = {
	.name = "audit",
	.summary =
		"every metadata block on disk, all copies: written, marked, referenced as it must be (btrfs)",
	.needs = NEED_ROOT | NEED_BTRFS | NEED_OWN_TARGET,
	.when = VERIFY_RESTING,
	.run = run,
};
