/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/hang.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/random.h"
#include "src/guard/count.h"
#include "src/machine/machine.h"
#include "src/ops/op.h"
#include "src/run/rundir.h"

static unsigned int seconds(uint64_t ns)
{
	return (unsigned int)(ns / NSEC_PER_SEC);
}

/* ---- operations ---- */

/* How long it has been under way, without the time that the target was frozen. `excuse`: that time since the
 * last look; for an operation that has begun since then it is too much, by less than the pause between two
 * looks. */
static uint64_t under_way(struct hang_operation *o, uint64_t started, uint64_t now, uint64_t excuse)
{
	if (o->started != started)
		*o = (struct hang_operation){.started = started};
	o->excused += excuse;
	return now - MIN(now, started + o->excused);
}

static bool look_at_workers(struct hang_watch *h, const struct shared *s, uint64_t now, uint64_t excuse,
			    char *line, size_t len, pid_t *tid)
{
	for (unsigned int i = 0; i < s->plan.workers; i++) {
		const struct shared_worker *w = &s->worker[i];
		uint64_t started = atomic_load(&w->started);
		uint64_t took = under_way(&h->operation[i], MAX(started, h->excused), now, excuse);
		const struct op *op;

		if (!started || took < s->plan.hang_limit)
			continue;
		op = op_by_id((uint16_t)atomic_load(&w->kind));
		*tid = atomic_load(&w->tid);
		snprintf(line, len, "worker %u (task %d): %s has not answered for %u s", i, (int)*tid,
			 op ? op->name : "an operation", seconds(took));
		return true;
	}
	return false;
}

/* ---- tasks ---- */

/* State and sum of context switches, from /proc/PID/task/TID/status. */
static bool read_task(pid_t pid, pid_t tid, char *state, uint64_t *switches)
{
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	*state = '?';
	*switches = 0;
	while (fgets(line, sizeof(line), file)) {
		unsigned long long n;

		if (sscanf(line, "State: %c", state) == 1)
			continue;
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %llu", &n) == 1)
			*switches += n;
	}
	fclose(file);
	return true;
}

static struct hang_task *remember(struct hang_watch *h, pid_t tid, uint64_t switches, uint64_t now)
{
	struct hang_task *task = NULL;

	for (unsigned int i = 0; i < h->count && !task; i++) {
		if (h->task[i].tid == tid)
			task = &h->task[i];
	}
	if (!task && h->count < HANG_TASKS) {
		task = &h->task[h->count++];
		*task = (struct hang_task){.tid = tid, .switches = switches, .since = now};
	}
	if (!task)
		return NULL;
	if (task->switches != switches) {
		task->switches = switches;
		task->since = now;
	}
	task->seen = true;
	return task;
}

static void forget_others(struct hang_watch *h)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < h->count; i++) {
		if (!h->task[i].seen)
			continue;
		h->task[kept] = h->task[i];
		h->task[kept++].seen = false;
	}
	h->count = kept;
}

/* Call each() for every task of a process until it returns true. */
static bool each_task(pid_t pid, bool (*each)(void *self, pid_t pid, pid_t tid), void *self)
{
	char path[64];
	struct dirent *entry;
	bool stop = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!stop && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			stop = each(self, pid, (pid_t)strtol(entry->d_name, NULL, 10));
	}
	closedir(dir);
	return stop;
}

struct look {
	struct hang_watch *watch;
	uint64_t now, limit;
	pid_t stuck;
	unsigned int for_s;
};

static bool look_at_task(void *self, pid_t pid, pid_t tid)
{
	struct look *l = self;
	struct hang_task *task;
	uint64_t switches;
	char state;

	if (!read_task(pid, tid, &state, &switches) || state != 'D')
		return false;
	task = remember(l->watch, tid, switches, l->now);
	if (task && l->now - task->since >= l->limit && !l->stuck) {
		l->stuck = tid;
		l->for_s = seconds(l->now - task->since);
	}
	return false;
}

static bool look_at_tasks(struct hang_watch *h, const struct shared *s, const pid_t pids[HANG_PIDS],
			  uint64_t now, char *line, size_t len, pid_t *tid)
{
	static const char *const names[HANG_PIDS] = {"churn", "disturb", "the freezing hand"};
	struct look l = {.watch = h, .now = now, .limit = s->plan.hang_limit};
	unsigned int i;

	for (i = 0; i < HANG_PIDS; i++) {
		if (pids[i])
			each_task(pids[i], look_at_task, &l);
		if (l.stuck && !line[0]) {
			*tid = l.stuck;
			snprintf(line, len, "%s (task %d): asleep in the kernel for %u s, and can't be woken",
				 names[i], (int)l.stuck, l.for_s);
		}
	}
	forget_others(h);
	return line[0] != '\0';
}

/* ---- progress ---- */

static uint64_t fingerprint(const struct shared *s)
{
	struct counts c;
	uint64_t sum;

	count_all(s, &c);
	sum = mix64(c.operations) ^ mix64(c.verified_bytes + 1) ^ mix64(c.verified_objects + 2);
	for (unsigned int i = 0; i < s->plan.verification_count; i++)
		sum += mix64(atomic_load(&s->verified[i].names) + 3) +
		       mix64(atomic_load(&s->verified[i].blocks) + 4) +
		       mix64(atomic_load(&s->verified[i].scrubbed) + 7) +
		       mix64(atomic_load(&s->verified[i].audited) + 8);
	sum += mix64(atomic_load(&s->stage) * 1000ULL + atomic_load(&s->round));
	sum += mix64(atomic_load(&s->phase_serial) * 1000ULL + atomic_load(&s->phase) + 5);
	return sum + mix64(atomic_load(&s->beat) + 6);
}

/* A phase without churn stands still on purpose until its end; other stages wait for programs that tell
 * nothing: there the look at the tasks has to do. */
static bool may_stand_still(const struct shared *s, uint64_t now)
{
	uint32_t stage = atomic_load(&s->stage);

	if (stage == STAGE_CHURN)
		return now < atomic_load(&s->phase_end);
	return stage != STAGE_VERIFY;
}

static bool look_at_progress(struct hang_watch *h, const struct shared *s, uint64_t now, char *line,
			     size_t len)
{
	uint64_t progress = fingerprint(s);

	if (progress != h->progress || !h->progress_at || may_stand_still(s, now)) {
		h->progress = progress;
		h->progress_at = now;
		return false;
	}
	if (now - h->progress_at < 2 * s->plan.hang_limit)
		return false;
	snprintf(line, len, "churn: no progress for %u s while %s", seconds(now - h->progress_at),
		 atomic_load(&s->stage) == STAGE_VERIFY ? "verifying" : "churning");
	return true;
}

static bool is_stopped(pid_t pid)
{
	uint64_t switches;
	char state;

	return pid && read_task(pid, pid, &state, &switches) && (state == 'T' || state == 't');
}

/* Clocks stand still while the target is frozen. */
static void put_off(struct hang_watch *h, uint64_t excuse)
{
	for (unsigned int i = 0; i < h->count; i++)
		h->task[i].since += excuse;
	if (h->progress_at)
		h->progress_at += excuse;
}

bool hang_look(struct hang_watch *h, const struct shared *s, const pid_t pids[HANG_PIDS], uint64_t now,
	       uint64_t frozen, char *line, size_t len, pid_t *tid)
{
	/* What stands still for two reasons at a time is excused once. */
	uint64_t excuse = MIN(frozen - h->frozen, now - h->looked);

	line[0] = '\0';
	*tid = 0;
	if (h->found || !s->plan.hang_limit)
		return false;
	h->frozen = frozen;
	h->looked = now;
	if (is_stopped(pids[0])) {
		h->excused = now;
		h->progress_at = now;
		return false;
	}
	put_off(h, excuse);
	h->found = look_at_workers(h, s, now, excuse, line, len, tid) ||
		   look_at_tasks(h, s, pids, now, line, len, tid) || look_at_progress(h, s, now, line, len);
	return h->found;
}

/* ---- evidence ---- */

static void copy_file(const char *path, FILE *out)
{
	FILE *in = fopen(path, "re");
	char buf[4096];
	size_t got;

	if (!in) {
		fprintf(out, "(%s)\n", strerror(errno));
		return;
	}
	while ((got = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, got, out);
	if (ferror(in))
		fprintf(out, "(%s)", strerror(errno));
	fputc('\n', out);
	fclose(in);
}

static bool dump_task(void *self, pid_t pid, pid_t tid)
{
	static const char *const files[] = {"comm", "status", "wchan", "syscall", "stack"};
	char path[96];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)pid, (int)tid, files[i]);
		fprintf(self, "== %s\n", path);
		copy_file(path, self);
	}
	return false;
}

int hang_dump(const char *run, const pid_t pids[HANG_PIDS])
{
	char path[PATH_MAX];
	FILE *out = fopen(rundir_path(path, sizeof(path), run, "hang.txt"), "we");

	if (!out)
		return errno;
	for (int i = 0; i < HANG_PIDS; i++) {
		if (pids[i])
			each_task(pids[i], dump_task, out);
	}
	return fclose(out) ? errno : 0;
}

void hang_stack(pid_t pid, pid_t tid, char *buf, size_t len)
{
	char path[96], line[256];
	size_t used = 0;
	FILE *file;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stack", (int)pid, (int)tid);
	file = fopen(path, "re");
	if (!file)
		return;
	/* "[<0>] function+0x12/0x34" */
	while (fgets(line, sizeof(line), file) && used < len) {
		const char *name = strchr(line, ' ');

		if (!name)
			continue;
		used += (size_t)snprintf(buf + used, len - used, "%s%.*s", used ? " < " : "",
					 (int)strcspn(name + 1, "+\n"), name + 1);
	}
	fclose(file);
}
