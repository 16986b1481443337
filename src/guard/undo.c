/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/undo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/guard/hand.h"
#include "src/machine/machine.h"

/* Between two passes over what is left: writeback and dying processes get on meanwhile. */
#define PAUSE (250 * NSEC_PER_MSEC)

/* No further pass is begun after this: a verdict that comes late helps nobody. */
#define BUDGET (20 * NSEC_PER_SEC)

static int undo_work(void *arg, int socket)
{
	const struct undo_entry *entry = arg;

	return entry->kind->undo(entry->what, entry->old);
}

static bool rebooted(const struct undo_log *log)
{
	char boot[sizeof(log->boot)];

	return !machine_read("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) &&
	       strcmp(boot, log->boot);
}

static int attempt(struct undo_entry *entry, bool after_reboot)
{
	if (after_reboot && entry->kind->gone_with_reboot)
		return 0;
	return hand_do(undo_work, entry, entry->kind->limit, NULL);
}

/* Last change first, of the kinds that come first or of the others. Returns how many are left that deserve
 * another pass. */
static unsigned int sweep(struct undo_log *log, const struct undo_listener *listener, unsigned int tried,
			  bool first)
{
	bool after_reboot = rebooted(log);
	unsigned int again = 0;

	for (unsigned int i = log->count; i-- > 0;) {
		struct undo_entry *entry = &log->entry[i];

		if (entry->done || tried >= entry->kind->attempts || entry->kind->first != first)
			continue;
		entry->err = attempt(entry, after_reboot);
		if (entry->err) {
			again += tried + 1 < entry->kind->attempts;
			continue;
		}
		undo_mark(log, entry);
		listener->said(listener->self, entry, 0);
	}
	return again;
}

static unsigned int pass(struct undo_log *log, const struct undo_listener *listener, unsigned int tried)
{
	unsigned int again = sweep(log, listener, tried, true);

	return again + sweep(log, listener, tried, false);
}

unsigned int undo_run(struct undo_log *log, const struct undo_listener *listener)
{
	uint64_t begin = clock_mono();
	unsigned int left = 0;

	for (unsigned int tried = 0; pass(log, listener, tried); tried++) {
		if (clock_mono() - begin > BUDGET)
			break;
		sleep_ns(PAUSE);
	}
	for (unsigned int i = log->count; i-- > 0;) {
		if (log->entry[i].done)
			continue;
		listener->said(listener->self, &log->entry[i], log->entry[i].err);
		left++;
	}
	left += log->damaged;
	if (left)
		undo_sync(log);
	else
		undo_close(log);
	return left;
}

/* One entry, while the run goes on. */
static void undo_early(struct undo_log *log, struct undo_entry *entry, const struct undo_listener *listener)
{
	entry->err = attempt(entry, false);
	if (entry->err)
		return;
	undo_mark(log, entry);
	listener->said(listener->self, entry, 0);
}

void undo_kind_now(struct undo_log *log, const char *kind, const struct undo_listener *listener)
{
	for (unsigned int i = log->count; i-- > 0;) {
		if (!log->entry[i].done && log->entry[i].kind == undo_kind_by_name(kind))
			undo_early(log, &log->entry[i], listener);
	}
}

void undo_below(struct undo_log *log, const char *dir, const struct undo_listener *listener)
{
	size_t len = strlen(dir);

	for (unsigned int i = log->count; len && i-- > 0;) {
		struct undo_entry *entry = &log->entry[i];

		if (entry->done || entry->kind != undo_kind_by_name("set") ||
		    strncmp(entry->what, dir, len) != 0 || entry->what[len] != '/')
			continue;
		undo_early(log, entry, listener);
	}
}

void undo_show(const struct undo_entry *entry, int err, char *buf, size_t len)
{
	int used;

	entry->kind->show(entry->what, entry->old, buf, len);
	if (!err)
		return;
	used = (int)strlen(buf);
	snprintf(buf + used, len - (size_t)used, " -- NOT put back (%s); by hand: ",
		 err == EAGAIN ? "the kernel gave it another state" : strerror(err));
	used = (int)strlen(buf);
	entry->kind->by_hand(entry->what, entry->old, buf + used, len - (size_t)used);
}
