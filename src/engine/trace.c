/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tally's reading of tracepoints, with libtracefs. */
#include <errno.h>
#include <linux/btrfs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <tracefs.h>

#include "src/engine/tally.h"
#include "src/run/exposure.h"

#define NUMBERS_MAX 32 /* of enum migrate_reason; ten are in use in Linux 6.18 */

struct tally_trace {
	struct shared *shared;
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	struct tep_event *migrate, *commit, *hook[HOOKS]; /* NULL: not counted */
	struct tep_format_field *succeeded, *failed, *mode, *reason, *fsid, *answer[HOOKS];
	unsigned int cause[NUMBERS_MAX], by_mode[NUMBERS_MAX]; /* by the kernel's numbers */
	unsigned char target_fsid[BTRFS_FSID_SIZE];
};

/* ---- one event ---- */

static uint64_t number(const struct tep_record *record, struct tep_format_field *field)
{
	unsigned long long value = 0;

	tep_read_number_field(field, record->data, &value);
	return value;
}

static void count_migration(struct tally_trace *t, const struct tep_record *record)
{
	struct traced *out = &t->shared->traced;
	uint64_t moved = number(record, t->succeeded), reason = number(record, t->reason),
		 mode = number(record, t->mode);
	unsigned int cause = reason < NUMBERS_MAX ? t->cause[reason] : MEASURE_OTHER - MEASURE_CAUSES;

	atomic_fetch_add(&out->moved[cause], moved);
	atomic_fetch_add(&out->failed[cause], number(record, t->failed));
	if (mode < NUMBERS_MAX && t->by_mode[mode] < MODES)
		atomic_fetch_add(&out->by_mode[t->by_mode[mode]], moved);
}

static void count_commit(struct tally_trace *t, const struct tep_record *record)
{
	const unsigned char *fsid = (const unsigned char *)record->data + t->fsid->offset;

	if (!memcmp(fsid, t->target_fsid, sizeof(t->target_fsid)))
		atomic_fetch_add(&t->shared->traced.commits, 1);
}

static void count_hook(struct tally_trace *t, unsigned int hook, const struct tep_record *record)
{
	int answer = (int)number(record, t->answer[hook]);
	unsigned int result = !answer ? HOOK_MOVED : answer == -EAGAIN ? HOOK_REFUSED : HOOK_FAILED;

	atomic_fetch_add(&t->shared->traced.hook[hook][result], 1);
}

static int take(struct tep_event *event, struct tep_record *record, int cpu, void *self)
{
	struct tally_trace *t = self;

	/* -1: some, the kernel doesn't say how many. */
	if (record->missed_events)
		atomic_fetch_add(&t->shared->traced.lost,
				 (uint64_t)(record->missed_events > 0 ? record->missed_events : 1));
	if (event == t->migrate)
		count_migration(t, record);
	else if (event == t->commit)
		count_commit(t, record);
	for (unsigned int i = 0; i < HOOKS; i++) {
		if (event == t->hook[i])
			count_hook(t, i, record);
	}
	return 0;
}

void tally_trace_read(struct tally_trace *t)
{
	tracefs_iterate_raw_events(t->tep, t->instance, NULL, 0, take, t);
}

/* ---- opening ---- */

/* The words that the kernel prints for a field's numbers: __print_symbolic() in the event's format. */
static void name_numbers(const struct tep_print_arg *arg, const char *field,
			 void (*say)(struct tally_trace *t, unsigned long number, const char *word),
			 struct tally_trace *t)
{
	for (; arg; arg = arg->next) {
		const struct tep_print_flag_sym *s;

		if (arg->type != TEP_PRINT_SYMBOL || arg->symbol.field->type != TEP_PRINT_FIELD ||
		    strcmp(arg->symbol.field->field.name, field) != 0)
			continue;
		for (s = arg->symbol.symbols; s; s = s->next) {
			unsigned long n = strtoul(s->value, NULL, 0);

			if (n < NUMBERS_MAX)
				say(t, n, s->str);
		}
	}
}

static void name_cause(struct tally_trace *t, unsigned long n, const char *word)
{
	t->cause[n] = measure_cause(word);
}

static void name_mode(struct tally_trace *t, unsigned long n, const char *word)
{
	static const char *const words[MODES] = {
		[MODE_ASYNC] = "MIGRATE_ASYNC",
		[MODE_SYNC_LIGHT] = "MIGRATE_SYNC_LIGHT",
		[MODE_SYNC] = "MIGRATE_SYNC",
	};

	for (unsigned int i = 0; i < MODES; i++) {
		if (!strcmp(words[i], word))
			t->by_mode[n] = i;
	}
}

/* Enable an event in the run's own instance. NULL, and said, when it can't be. */
static struct tep_event *enable(struct tally_trace *t, const char *system, const char *name, uint64_t hidden,
				const char *what)
{
	struct tep_event *event = tep_find_event_by_name(t->tep, system, name);

	errno = 0;
	if (event && !tracefs_event_enable(t->instance, system, name))
		return event;
	exposure_hidden(t->shared, hidden, what, "tracepoint %s:%s: %s", system, name,
			event ? strerror(errno) : "this kernel has none");
	return NULL;
}

static void open_migrate(struct tally_trace *t)
{
	struct tep_event *e =
		enable(t, "migrate", "mm_migrate_pages", exposure_causes(), "migrations by cause");

	if (!e)
		return;
	t->succeeded = tep_find_field(e, "succeeded");
	t->failed = tep_find_field(e, "failed");
	t->mode = tep_find_field(e, "mode");
	t->reason = tep_find_field(e, "reason");
	if (!t->succeeded || !t->failed || !t->mode || !t->reason) {
		exposure_hidden(t->shared, exposure_causes(), "migrations by cause",
				"the tracepoint has other fields on this kernel");
		return;
	}
	for (unsigned int i = 0; i < NUMBERS_MAX; i++) {
		t->cause[i] = MEASURE_OTHER - MEASURE_CAUSES;
		t->by_mode[i] = MODES;
	}
	name_numbers(e->print_fmt.args, "reason", name_cause, t);
	name_numbers(e->print_fmt.args, "mode", name_mode, t);
	t->migrate = e;
}

static void open_commit(struct tally_trace *t, int target)
{
	static const char what[] = "transactions committed";
	const uint64_t bit = 1ULL << MEASURE_COMMITS;
	struct btrfs_ioctl_fs_info_args info = {0};
	struct tep_event *e;

	if (!t->shared->target.btrfs) {
		exposure_hidden(t->shared, bit, what, "the target is not btrfs");
		return;
	}
	if (ioctl(target, BTRFS_IOC_FS_INFO, &info)) {
		exposure_hidden(t->shared, bit, what, "the target's filesystem id can't be read: %s",
				strerror(errno));
		return;
	}
	memcpy(t->target_fsid, info.fsid, sizeof(t->target_fsid));
	e = enable(t, "btrfs", "btrfs_transaction_commit", bit, what);
	t->fsid = e ? tep_find_field(e, "fsid") : NULL;
	if (t->fsid && t->fsid->size == sizeof(t->target_fsid))
		t->commit = e;
	else if (e)
		exposure_hidden(t->shared, bit, what,
				"the tracepoint doesn't name the filesystem on this kernel");
}

static void open_hooks(struct tally_trace *t)
{
	static const enum measure which[HOOKS] = {[HOOK_BTREE] = MEASURE_BTREE, [HOOK_DATA] = MEASURE_DATA};
	uint64_t hidden = exposure_unseen(t->shared);

	for (unsigned int i = 0; i < HOOKS; i++) {
		const char *name = measure_words[which[i]].name;
		struct tep_event *e;

		if (hidden >> which[i] & 1)
			continue;
		e = enable(t, t->shared->probes, name, 1ULL << which[i], name);
		t->answer[i] = e ? tep_find_field(e, "ret") : NULL;
		t->hook[i] = t->answer[i] ? e : NULL;
	}
}

struct tally_trace *tally_trace_open(struct shared *s, int target)
{
	const char *systems[] = {"migrate", "btrfs", s->probes[0] ? s->probes : NULL, NULL};
	struct tally_trace *t = calloc(1, sizeof(*t));

	if (t) {
		t->shared = s;
		t->tep = tracefs_local_events_system(NULL, systems);
		t->instance = tracefs_instance_alloc(NULL, s->instance);
	}
	if (!t || !t->tep || !t->instance) {
		exposure_hidden(s, exposure_traced(), "migrations by cause", "the events can't be read: %s",
				strerror(errno));
		if (t)
			tally_trace_close(t);
		return NULL;
	}
	open_migrate(t);
	open_commit(t, target);
	open_hooks(t);
	return t;
}

void tally_trace_close(struct tally_trace *t)
{
	if (t->instance)
		tracefs_instance_free(t->instance);
	if (t->tep)
		tep_free(t->tep);
	free(t);
}
