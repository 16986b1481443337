/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/disturb.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/engine/pace.h"
#include "src/engine/tally.h"
#include "src/machine/messages.h"

/* Streams of injectors are told from those of workers by this. ("inject" in ASCII.) */
#define STREAM_INJECT 0x696e6a656374ULL

/* A step that found nothing to do, or was refused, is not tried again at once. */
#define PAUSE_IDLE    (20 * NSEC_PER_MSEC)
#define PAUSE_REFUSED (10 * NSEC_PER_MSEC)

/* The ends of a run and of preparation are not announced through the futex: looked for this often. */
#define POLL (100 * NSEC_PER_MSEC)

/* One injection and its thread. Only `thread` is the main thread's, all else is the injection's own. */
struct disturber {
	struct shared *shared;
	const struct plan_injection *planned;
	struct finding_sink sink;
	struct injection in;
	pthread_t thread;
	struct machine machine;
	struct pace pace;
	unsigned int index;
	bool running;
};

static uint32_t bit(const struct disturber *d)
{
	return 1U << d->index;
}

bool disturb_over(const struct shared *s)
{
	return atomic_load(&s->stop) || atomic_load(&s->abandon) || atomic_load(&s->stage) == STAGE_DONE;
}

static void emit_finding(void *self, const struct finding *f)
{
	const struct disturber *d = self;
	struct finding stamped = *f;

	if (shared_excuses(d->shared, f))
		return;
	shared_stamp(d->shared, &stamped);
	message_send(d->machine.socket, MESSAGE_FINDING, &stamped, sizeof(stamped));
}

static void set_up(struct disturber *d, struct shared *s, unsigned int index, int socket)
{
	*d = (struct disturber){.shared = s, .index = index, .planned = &s->plan.injection[index]};
	d->machine.socket = socket;
	d->sink = (struct finding_sink){.emit = emit_finding, .self = d};
	d->in = (struct injection){
		.name = d->planned->injector->name,
		.machine = &d->machine,
		.params = &d->planned->params,
		.random = stream_make(s->plan.seed, STREAM_INJECT + index, 0),
		.target = -1,
		.cgroup = s->cgroup_inode,
		.cgroup_dir = s->cgroup,
		.memory_floor = s->plan.memory_floor,
		.phase_arg = "",
		.exposure = &s->exposure[index],
		.findings = &d->sink,
		.serial_now = &s->phase_serial,
		.stop = &s->stop,
	};
}

void disturb_await(const struct shared *s, uint32_t seen, uint64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / NSEC_PER_SEC), .tv_nsec = (long)(ns % NSEC_PER_SEC)};

	syscall(SYS_futex, &s->phase_serial, FUTEX_WAIT, seen, &ts, NULL, 0);
}

static void open_target(struct disturber *d)
{
	const struct shared *s = d->shared;

	d->in.target = -1;
	if (!atomic_load(&s->target_mounted))
		return;
	d->in.btrfs = s->target.btrfs;
	d->in.churn = s->worker ? atomic_load(&s->worker[0].tid) : 0;
	d->in.target = open(s->target.mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d->in.target < 0)
		inject_note(&d->in, "cannot open %s: %s", s->target.mountpoint, strerror(errno));
}

static void close_target(struct disturber *d)
{
	if (d->in.target >= 0)
		close(d->in.target);
	d->in.target = -1;
}

/* What the counters were when a phase began. */
struct account {
	uint64_t steps, idle, failed, pages, dirty;
};

static struct account account(const struct exposure *x)
{
	return (struct account){atomic_load(&x->steps), atomic_load(&x->idle), atomic_load(&x->failed),
				atomic_load(&x->pages), atomic_load(&x->dirty)};
}

/* What a phase did, on the timeline. Pages are named only by those injectors that move some. */
static void note_phase(struct disturber *d, const struct account *before)
{
	struct account now = account(d->in.exposure);
	bool reason = d->in.idle_reason[0] && now.idle > before->idle;
	char pages[96] = "";

	if (reason)
		memcpy(d->in.exposure->why, d->in.idle_reason, sizeof(d->in.exposure->why));
	if (now.pages > before->pages)
		snprintf(pages, sizeof(pages), ", %lu pages moved, %lu of them seen dirty",
			 now.pages - before->pages, now.dirty - before->dirty);
	inject_note(&d->in, "%s%s%lu steps, %lu refused, %lu idle%s%s%s%s", d->in.phase_arg,
		    d->in.phase_arg[0] ? ": " : "", now.steps - before->steps, now.failed - before->failed,
		    now.idle - before->idle, reason ? " (" : "", reason ? d->in.idle_reason : "",
		    reason ? ")" : "", pages);
}

static bool is_over(const void *self)
{
	const struct disturber *d = self;

	return inject_over(&d->in) || disturb_over(d->shared);
}

static void steps(struct disturber *d)
{
	struct exposure *x = d->in.exposure;

	while (pace_step(&d->pace, d->machine.socket, is_over, d)) {
		switch (d->planned->injector->step(&d->in)) {
		case STEP_DONE:
			atomic_fetch_add(&x->steps, 1);
			break;
		case STEP_IDLE:
			atomic_fetch_add(&x->idle, 1);
			inject_pause(&d->in, PAUSE_IDLE);
			break;
		case STEP_REFUSED:
			atomic_fetch_add(&x->failed, 1);
			inject_pause(&d->in, PAUSE_REFUSED);
			break;
		}
	}
}

/* One phase from its begin to rest. */
static void act(struct disturber *d)
{
	const struct injector *injector = d->planned->injector;
	struct account before = account(d->in.exposure);
	struct error e;

	d->in.idle_reason[0] = '\0';
	pace_begin(&d->pace);
	open_target(d);
	if (injector->phase && injector->phase(&d->in, &e)) {
		inject_note(&d->in, "sits this phase out: %s", e.text);
		snprintf(d->in.exposure->why, sizeof(d->in.exposure->why), "%.150s", e.text);
	} else {
		steps(d);
		if (injector->rest)
			injector->rest(&d->in);
		note_phase(d, &before);
	}
	pace_end(&d->pace, d->machine.socket);
	close_target(d);
}

/* Act if this injection's bit is set in the phase with serial number `serial`. */
static void try_phase(struct disturber *d, uint32_t serial)
{
	struct shared *s = d->shared;

	atomic_fetch_or(&s->acting, bit(d));
	if (atomic_load(&s->phase_serial) == serial && (atomic_load(&s->inject) & bit(d)) &&
	    !disturb_over(s)) {
		d->in.serial = serial;
		d->in.random = stream_make(s->plan.seed, STREAM_INJECT + d->index, serial);
		d->in.phase_arg = s->plan.phase[atomic_load(&s->phase)].arg[d->index];
		act(d);
	}
	atomic_fetch_and(&s->acting, ~bit(d));
}

static int start(struct disturber *d)
{
	struct error e;

	if (!d->planned->injector->start || !d->planned->injector->start(&d->in, &e))
		return 0;
	snprintf(d->in.exposure->why, sizeof(d->in.exposure->why), "%.150s", e.text);
	atomic_store(&d->in.exposure->unable, true);
	inject_note(&d->in, "unavailable: %s", e.text);
	return -1;
}

static void name_thread(const struct disturber *d)
{
	char name[16]; /* with the NUL, what the kernel keeps of a thread's name */

	snprintf(name, sizeof(name), "inject:%s", d->in.name);
	pthread_setname_np(pthread_self(), name);
}

/* Act in each phase that has this injection's bit, once, until the run is over. */
static void see_to_phases(struct disturber *d)
{
	struct shared *s = d->shared;
	uint32_t done = 0;
	bool any = false;

	while (!disturb_over(s)) {
		uint32_t serial = atomic_load(&s->phase_serial);

		if ((any && serial == done) || !(atomic_load(&s->inject) & bit(d))) {
			disturb_await(s, serial, POLL);
			continue;
		}
		try_phase(d, serial);
		done = serial;
		any = true;
	}
}

static void *disturber_main(void *arg)
{
	struct disturber *d = arg;

	name_thread(d);
	pace_open(&d->pace, d->shared, d->index);
	if (!start(d))
		see_to_phases(d);
	if (d->planned->injector->finish)
		d->planned->injector->finish(&d->in);
	pace_close(&d->pace);
	return NULL;
}

static int launch(struct disturber *d)
{
	int err = pthread_create(&d->thread, NULL, disturber_main, d);

	if (err) {
		snprintf(d->in.exposure->why, sizeof(d->in.exposure->why), "no thread: %s", strerror(err));
		atomic_store(&d->in.exposure->unable, true);
		inject_note(&d->in, "unavailable: %s", d->in.exposure->why);
		return -1;
	}
	d->running = true;
	return 0;
}

int disturb_main(struct shared *s, const int *sockets)
{
	struct disturber disturbers[PLAN_INJECTORS] = {0};
	struct tally tally;
	int status = 0;

	tally_start(&tally, s);

	for (unsigned int i = 0; i < s->plan.injection_count; i++) {
		if (s->plan.injection[i].unavailable)
			continue;
		set_up(&disturbers[i], s, i, sockets[i]);
		if (launch(&disturbers[i]))
			status = 1;
	}
	for (unsigned int i = 0; i < s->plan.injection_count; i++) {
		if (disturbers[i].running)
			pthread_join(disturbers[i].thread, NULL);
	}
	tally_join(&tally);
	return status;
}
