/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/tally.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/engine/disturb.h"
#include "src/run/exposure.h"

/* The ring must not overflow between two readings (src/guard/tracing.c). */
#define EVERY (100 * NSEC_PER_MSEC)

/* "sample" in ASCII. */
#define STREAM_SAMPLE 0x73616d706c65ULL

static void begin(struct tally *t, uint32_t serial)
{
	struct shared *s = t->shared;
	struct stream random = stream_make(s->plan.seed, STREAM_SAMPLE, serial);

	t->target = open(s->target.mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->instance[0] && !t->trace)
		t->trace = tally_trace_open(s, t->target);
	if (t->sampling && t->target >= 0)
		sample_begin(&t->sample, t->target, &random);
}

static void end(struct tally *t)
{
	struct shared *s = t->shared;
	struct sample_result result;

	if (t->trace)
		tally_trace_read(t->trace);
	if (t->sampling && t->target >= 0) {
		sample_end(&t->sample, &result);
		atomic_fetch_add(&s->sampled.files, result.files);
		atomic_fetch_add(&s->sampled.pages, result.pages);
		atomic_fetch_add(&s->sampled.moved, result.moved);
	}
	if (t->target >= 0)
		close(t->target);
	t->target = -1;
}

/* One phase with injections, from its begin until they come to rest. */
static void attend(struct tally *t, uint32_t serial)
{
	struct shared *s = t->shared;

	atomic_fetch_or(&s->acting, TALLY_BIT);
	if (atomic_load(&s->phase_serial) == serial && atomic_load(&s->inject) &&
	    atomic_load(&s->target_mounted) && !disturb_over(s)) {
		begin(t, serial);
		while (atomic_load(&s->phase_serial) == serial && !disturb_over(s)) {
			if (t->trace)
				tally_trace_read(t->trace);
			disturb_await(s, serial, EVERY);
		}
		end(t);
	}
	atomic_fetch_and(&s->acting, ~TALLY_BIT);
}

static void *tally_main(void *arg)
{
	struct tally *t = arg;
	struct shared *s = t->shared;

	pthread_setname_np(pthread_self(), "tally");
	while (!disturb_over(s)) {
		uint32_t serial = atomic_load(&s->phase_serial);

		if (atomic_load(&s->inject))
			attend(t, serial);
		else if (t->trace)
			tally_trace_read(t->trace);
		disturb_await(s, serial, EVERY);
	}
	if (t->trace)
		tally_trace_close(t->trace);
	return NULL;
}

void tally_start(struct tally *t, struct shared *s)
{
	int err = sample_possible();

	*t = (struct tally){.shared = s, .sampling = !err, .target = -1};
	if (err)
		exposure_hidden(s, 0, "share of the cached pages that moved", "/proc/self/pagemap: %s",
				strerror(err));
	err = pthread_create(&t->thread, NULL, tally_main, t);
	t->running = !err;
	if (err)
		exposure_hidden(s, exposure_traced(), "migrations by cause", "no thread: %s", strerror(err));
}

void tally_join(struct tally *t)
{
	if (t->running)
		pthread_join(t->thread, NULL);
}
