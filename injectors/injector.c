/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every injector needs: words for the timeline, and a wait that ends with the phase. */
#include "injectors/injector.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/clock.h"

/* The end of a run is not announced through the futex: a wait looks for it this often. */
#define STOP_POLL (100 * NSEC_PER_MSEC)

void *inject_state(struct injection *in, size_t bytes, struct error *e)
{
	in->state = calloc(1, bytes);
	if (!in->state)
		error_errno(e, EXIT_HARNESS, ENOMEM, "%s", in->name);
	return in->state;
}

void inject_finish(struct injection *in)
{
	free(in->state);
	in->state = NULL;
}

enum step inject_idle(struct injection *in, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(in->idle_reason, sizeof(in->idle_reason), fmt, args);
	va_end(args);
	return STEP_IDLE;
}

unsigned int inject_word(const struct injection *in, const char *const *words)
{
	for (unsigned int i = 0; words[i]; i++) {
		if (!strcmp(in->phase_arg, words[i]))
			return i;
	}
	return 0;
}

size_t inject_draw(struct injection *in, const unsigned int *weight, size_t count)
{
	uint64_t total = 0, drawn;

	for (size_t i = 0; i < count; i++)
		total += weight[i];
	drawn = stream_below(&in->random, total);
	for (size_t i = 0; i < count; i++) {
		if (drawn < weight[i])
			return i;
		drawn -= weight[i];
	}
	return count;
}

void inject_note(struct injection *in, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	machine_note(in->machine, in->name, text);
}

bool inject_over(const struct injection *in)
{
	return atomic_load(in->stop) || atomic_load(in->serial_now) != in->serial;
}

bool inject_pause(const struct injection *in, uint64_t ns)
{
	uint64_t end = clock_mono() + ns, now;

	while (!inject_over(in) && (now = clock_mono()) < end) {
		uint64_t wait = MIN(end - now, STOP_POLL);
		struct timespec ts = {.tv_sec = 0, .tv_nsec = (long)wait};

		/* The word is shared with churn, hence no FUTEX_PRIVATE_FLAG. */
		syscall(SYS_futex, in->serial_now, FUTEX_WAIT, in->serial, &ts, NULL, 0);
	}
	return inject_over(in);
}
