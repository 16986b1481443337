/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/squeeze.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"

/* How often a squeezed cgroup is looked at. */
#define LOOK (10 * NSEC_PER_MSEC)

/* Longest that the kernel may reclaim for a new limit; v1 does it while the limit is written. */
#define LIMIT (1 * NSEC_PER_SEC)

/* Less than this isn't worth a squeeze. */
#define WORTH (8 * MiB)

static uint64_t read_number(const char *path)
{
	char text[32];

	return machine_read(path, text, sizeof(text)) ? 0 : strtoull(text, NULL, 10);
}

static void name(char *path, size_t len, const struct injection *in, const char *file)
{
	snprintf(path, len, "%.250s/%s", in->cgroup_dir, file);
}

static void name_v1(struct injection *in, struct squeeze *s)
{
	name(s->usage, sizeof(s->usage), in, "memory.usage_in_bytes");
	name(s->hits_path, sizeof(s->hits_path), in, "memory.failcnt");
	name(s->oom, sizeof(s->oom), in, "memory.oom_control");
	s->hold_oom = (struct setting){.path = s->oom, .value = "1"};
	settings_find(in, &s->hold_oom, 1);
}

static void name_v2(const struct injection *in, struct squeeze *s)
{
	name(s->limit, sizeof(s->limit), in, "memory.high");
	name(s->usage, sizeof(s->usage), in, "memory.current");
	name(s->hits_path, sizeof(s->hits_path), in, "memory.events");
	s->hits = "high";
	s->hold_oom.refused = true; /* there is no such setting, and no need */
}

int squeeze_open(struct injection *in, struct squeeze *s)
{
	*s = (struct squeeze){0};
	if (!in->cgroup_dir[0])
		return ENOENT;
	name(s->stat, sizeof(s->stat), in, "memory.stat");
	name(s->limit, sizeof(s->limit), in, "memory.limit_in_bytes");
	if (!access(s->limit, F_OK))
		name_v1(in, s);
	else
		name_v2(in, s);
	if (access(s->limit, W_OK) || machine_read(s->limit, s->found, sizeof(s->found)))
		return errno;
	return 0;
}

void squeeze_look(const struct squeeze *s, struct squeeze_usage *u)
{
	bool v1 = s->oom[0] != '\0';

	u->all = read_number(s->usage);
	u->cache = machine_counter(s->stat, "active_file") + machine_counter(s->stat, "inactive_file");
	u->busy = machine_counter(s->stat, v1 ? "dirty" : "file_dirty") +
		  machine_counter(s->stat, v1 ? "writeback" : "file_writeback");
	u->cache = MIN(u->cache, u->all);
	u->busy = MIN(u->busy, u->cache);
}

uint64_t squeeze_limit(const struct squeeze_usage *u, uint64_t percent)
{
	uint64_t clean = u->cache - u->busy, keep = MAX(clean / 100 * percent, SQUEEZE_ROOM);

	return clean < keep + WORTH ? 0 : u->all - clean + keep;
}

bool squeeze_tight(const struct squeeze_usage *u, uint64_t limit)
{
	return u->all - u->cache + u->busy + SQUEEZE_ROOM / 4 > limit;
}

static bool short_of_memory(const struct squeeze *s, uint64_t limit)
{
	struct squeeze_usage u;

	squeeze_look(s, &u);
	return squeeze_tight(&u, limit) || (s->oom[0] && machine_counter(s->oom, "under_oom"));
}

uint64_t squeeze_hits(const struct squeeze *s)
{
	return s->hits ? machine_counter(s->hits_path, s->hits) : read_number(s->hits_path);
}

enum step squeeze_once(struct injection *in, struct squeeze *s, uint64_t percent, uint64_t ns)
{
	uint64_t end = clock_mono() + ns, limit;
	struct squeeze_usage u;
	char value[32];
	int err;

	squeeze_look(s, &u);
	limit = squeeze_limit(&u, percent);
	if (!limit)
		return inject_idle(in, "churn's cgroup holds too little clean page cache to take any");
	snprintf(value, sizeof(value), "%" PRIu64, limit);
	err = machine_set(in->machine, s->limit, value, LIMIT);
	while (!err && clock_mono() < end && !short_of_memory(s, limit) && !inject_pause(in, LOOK))
		;
	/* Lifted even when setting it failed: what a hand that was late did is not known. */
	if (machine_set(in->machine, s->limit, s->found, LIMIT))
		inject_note(in, "the limit of churn's cgroup could not be lifted at once");
	return err ? STEP_REFUSED : STEP_DONE;
}
