/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/tracing.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <tracefs.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/mounts.h"
#include "src/run/exposure.h"

#define LIMIT (5 * NSEC_PER_SEC)

/* Per CPU. An event of migration takes 68 bytes and stands for a batch of pages; the reader comes ten times a
 * second, so this is good for some 75,000 batches a second. */
#define BUFFER_KIB 512

/* Since Linux 6.0, and before. */
static const char *const hook_symbols[HOOKS][2] = {
	[HOOK_BTREE] = {"btree_migrate_folio", "btree_migratepage"},
	[HOOK_DATA] = {"btrfs_migrate_folio", "btrfs_migratepage"},
};
static const enum measure hook_measures[HOOKS] = {
	[HOOK_BTREE] = MEASURE_BTREE,
	[HOOK_DATA] = MEASURE_DATA,
};

/* Is tracefs mounted where everybody expects it? (Asking libtracefs leaks the path each time.) Mounted
 * elsewhere it is mounted once more, for this run alone. */
static bool is_mounted(void)
{
	static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!statfs(places[i], &fs) && fs.f_type == TRACEFS_MAGIC)
			return true;
	}
	return false;
}

/* ---- making ---- */

static int mount_work(void *arg, int socket)
{
	const char *dir;

	errno = 0;
	if (tracefs_tracing_dir_is_mounted(true, &dir) >= 0)
		return 0;
	return errno ? errno : ENODEV;
}

static int instance_work(void *arg, int socket)
{
	const struct shared *s = arg;
	struct tracefs_instance *instance = tracefs_instance_create(s->instance);

	if (!instance)
		return errno ? errno : EIO;
	tracefs_instance_set_buffer_size(instance, BUFFER_KIB, -1);
	tracefs_instance_free(instance);
	return 0;
}

/* A module that isn't loaded yet has to be named: its probes come into force when it is. */
static bool btrfs_is_there(void)
{
	return !access("/sys/fs/btrfs", F_OK);
}

static int make_probe(const char *group, const char *event, const char *symbol)
{
	struct tracefs_dynevent *probe;
	char address[64];
	int err = 0;

	snprintf(address, sizeof(address), "%s%s", btrfs_is_there() ? "" : "btrfs:", symbol);
	probe = tracefs_kretprobe_alloc(group, event, address, "ret=$retval:s32", 0);
	if (!probe)
		return errno ? errno : ENOMEM;
	if (tracefs_dynevent_create(probe))
		err = errno ? errno : EINVAL;
	tracefs_dynevent_free(probe);
	return err;
}

static int probes_work(void *arg, int socket)
{
	struct shared *s = arg;

	for (unsigned int i = 0; i < HOOKS; i++) {
		const char *event = measure_words[hook_measures[i]].name;
		int err = make_probe(s->probes, event, hook_symbols[i][0]);

		if (err)
			err = make_probe(s->probes, event, hook_symbols[i][1]);
		if (err)
			exposure_hidden(s, 1ULL << hook_measures[i], event, "it can't be probed: %s",
					strerror(err));
	}
	return 0;
}

static void prepare_probes(struct guard *g)
{
	struct shared *s = g->shared;
	char what[64];
	int err = 0;

	if (!tracefs_file_exists(NULL, "kprobe_events")) {
		for (unsigned int i = 0; i < HOOKS; i++)
			exposure_hidden(s, 1ULL << hook_measures[i], measure_words[hook_measures[i]].name,
					"this kernel has no kprobe events");
		return;
	}
	snprintf(s->probes, sizeof(s->probes), "recow_%d", (int)getpid());
	for (unsigned int i = 0; i < HOOKS && !err; i++) {
		snprintf(what, sizeof(what), "%s/%s", s->probes, measure_words[hook_measures[i]].name);
		err = undo_note_now(&g->undo, "kprobe", what, "");
	}
	if (!err)
		err = hand_do(probes_work, s, LIMIT, NULL);
	if (err)
		guard_say(g, "no probes on the migrate hooks: %s", strerror(err));
}

/* Probes first: what is undone last is made first, and an instance that uses a probe holds it. */
static int prepare_instance(struct guard *g)
{
	struct shared *s = g->shared;
	char name[sizeof(s->instance)];
	int err;

	prepare_probes(g);
	snprintf(name, sizeof(name), "recow-%d", (int)getpid());
	err = undo_note_now(&g->undo, "trace", name, "");
	if (err)
		return err;
	memcpy(s->instance, name, sizeof(name));
	err = hand_do(instance_work, s, LIMIT, NULL);
	if (err)
		s->instance[0] = '\0';
	return err;
}

static void hide_all(struct shared *s, const char *why)
{
	exposure_hidden(s, exposure_causes(), "migrations by cause", "%s", why);
	exposure_hidden(s, 1ULL << MEASURE_COMMITS, "transactions committed", "%s", why);
	exposure_hidden(s, 1ULL << MEASURE_BTREE | 1ULL << MEASURE_DATA, "migrate hooks of btrfs", "%s", why);
}

void tracing_prepare(struct guard *g, bool may_mount)
{
	char why[128];
	int err = 0;

	if (!g->locked) {
		hide_all(g->shared, "it is counted beside injectors only, and none run");
		return;
	}
	if (!is_mounted() && may_mount)
		err = hand_do(mount_work, NULL, LIMIT, NULL);
	if (!is_mounted()) {
		snprintf(why, sizeof(why), "no tracefs: %s", err ? strerror(err) : "it is not mounted");
		hide_all(g->shared, why);
		return;
	}
	err = prepare_instance(g);
	if (err) {
		snprintf(why, sizeof(why), "no tracefs instance: %s", strerror(err));
		hide_all(g->shared, why);
	}
}

/* ---- undoing ---- */

/* What recow restore mounts is its hand's alone. */
static int reach_tracefs(void)
{
	int err;

	if (is_mounted())
		return 0;
	err = mounts_private();
	return err ? err : mount_work(NULL, -1);
}

int tracing_undo_instance(const char *what, const char *old)
{
	struct tracefs_instance *instance;
	int err = reach_tracefs();

	if (err || !tracefs_instance_exists(what))
		return err;
	instance = tracefs_instance_alloc(NULL, what);
	if (!instance)
		return ENOMEM;
	errno = 0;
	if (tracefs_instance_destroy(instance))
		err = errno ? errno : EBUSY;
	tracefs_instance_free(instance);
	return err;
}

void tracing_show_instance(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "tracing instance %s: removed", what);
}

void tracing_instance_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len,
		 "mount -t tracefs none /sys/kernel/tracing; rmdir /sys/kernel/tracing/instances/%s", what);
}

int tracing_undo_probe(const char *what, const char *old)
{
	char line[128], group[64];
	const char *event = strchr(what, '/');
	int err = reach_tracefs();

	if (err || !event)
		return err ? err : EINVAL;
	snprintf(group, sizeof(group), "%.*s", (int)(event - what), what);
	if (!tracefs_event_file_exists(NULL, group, event + 1, "enable"))
		return 0;
	snprintf(line, sizeof(line), "-:%s", what);
	errno = 0;
	return tracefs_instance_file_append(NULL, "kprobe_events", line) < 0 ? (errno ? errno : EIO) : 0;
}

void tracing_show_probe(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "kernel probe %s: removed", what);
}

void tracing_probe_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len,
		 "mount -t tracefs none /sys/kernel/tracing; echo -:%s >> /sys/kernel/tracing/kprobe_events",
		 what);
}
