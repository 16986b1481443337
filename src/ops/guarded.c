/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/guarded.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#define WORD sizeof(uint64_t)

/* The copy that this thread is at. A signal handler has nothing but what belongs to its thread. */
struct guard {
	uintptr_t begin, end; /* addresses whose faults are answers */
	uintptr_t fault;
	sigjmp_buf back;
};
static _Thread_local struct guard *guard;

/* Anything else that raises SIGBUS ends the process as it always did. */
static void on_sigbus(int signo, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;

	if (guard && at >= guard->begin && at < guard->end) {
		guard->fault = at;
		siglongjmp(guard->back, 1);
	}
	signal(signo, SIG_DFL);
}

/* The mask is not saved, which would be a system call for each copy: so the signal must not be blocked
 * while it is handled. */
static void install(void)
{
	struct sigaction sa = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

static void guard_begin(struct guard *g, const void *at, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
	g->begin = (uintptr_t)at;
	g->end = g->begin + len;
	guard = g;
}

/* Rising, and in aligned words: the address of a fault then says what was stored before it. */
static void store(unsigned char *to, const unsigned char *from, size_t len)
{
	size_t i = 0;
	uint64_t word;

	for (; i < len && (uintptr_t)(to + i) % WORD; i++)
		*(volatile unsigned char *)(to + i) = from[i];
	for (; i + WORD <= len; i += WORD) {
		memcpy(&word, from + i, WORD);
		*(volatile uint64_t *)(void *)(to + i) = word;
	}
	for (; i < len; i++)
		*(volatile unsigned char *)(to + i) = from[i];
}

size_t guarded_store(unsigned char *to, const unsigned char *from, size_t len)
{
	struct guard g;

	guard_begin(&g, to, len);
	if (sigsetjmp(g.back, 0)) {
		guard = NULL;
		return g.fault - g.begin;
	}
	store(to, from, len);
	guard = NULL;
	return len;
}

bool guarded_load(unsigned char *to, const unsigned char *from, size_t len, size_t *fault)
{
	struct guard g;

	guard_begin(&g, from, len);
	if (sigsetjmp(g.back, 0)) {
		guard = NULL;
		*fault = g.fault - g.begin;
		return false;
	}
	memcpy(to, from, len);
	guard = NULL;
	return true;
}
