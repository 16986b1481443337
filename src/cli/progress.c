/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/json.h"
#include "src/finding/store.h"
#include "src/report/report.h"

#define PLAIN_EVERY  (10 * NSEC_PER_SEC)
#define LINE_ROOM    512
#define FIRST_PRINTS 20 /* findings that are printed in full; all are in the run directory */

static void clear_live(struct progress *p)
{
	if (p->live)
		fputs("\r\033[K", stderr);
	p->live = false;
}

static void say(struct progress *p, const char *line)
{
	clear_live(p);
	fprintf(p->out, "%s\n", line);
	fflush(p->out);
}

/* The run goes on when its directory can't be written; the user hears of it once. */
static void check_write(struct progress *p, int ret, const struct error *e)
{
	if (!ret || p->write_failed)
		return;
	clear_live(p);
	fprintf(stderr, "recow: %s\n", e->text);
	p->write_failed = true;
}

static void keep_description(struct progress *p)
{
	struct error e;

	check_write(p, report_write(p->run, "run.json", p->description, &e), &e);
}

static void keep_status(struct progress *p, const struct shared *s, const struct status *st)
{
	json_t *j = status_json(s, st);
	struct error e;

	check_write(p, history_add(&p->history, p->run, j, &e), &e);
	json_decref(j);
	p->logged = st->time;
}

static void on_started(void *self, const struct shared *s)
{
	struct progress *p = self;

	p->history = history_begin();
	p->description = describe_run(&s->plan, s->start_real);
	/* The kernel log has times of this clock. */
	json_object_set_new(p->description, "started_mono_ns", json_integer((json_int_t)s->start_mono));
	json_object_set(p->description, "command", p->command);
	keep_description(p);
}

/* Columns that a live line may take: one less than there are, so that it never wraps. */
static int terminal_width(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1 : 79;
}

static void show_live(struct progress *p, const struct shared *s, const struct status *st)
{
	char line[LINE_ROOM];

	status_show(line, sizeof(line), s, st, &p->before);
	fprintf(stderr, "\r%.*s\033[K", terminal_width(), line);
	fflush(stderr);
	p->live = true;
}

static bool plain_is_due(const struct progress *p, const struct status *st)
{
	if (st->time - p->plain.time >= PLAIN_EVERY || st->round != p->plain.round)
		return true;
	return p->verbosity > 0 && (st->phase != p->plain.phase || st->stage != p->plain.stage);
}

static void on_tick(void *self, const struct shared *s)
{
	struct progress *p = self;
	struct status st;

	status_take(&st, s);
	if (st.time - p->logged >= p->history.every)
		keep_status(p, s, &st);
	if (p->verbosity < 0)
		return;
	if (p->terminal) {
		show_live(p, s, &st);
		p->before = st;
	} else if (plain_is_due(p, &st)) {
		char line[LINE_ROOM];

		say(p, status_show(line, sizeof(line), s, &st, &p->plain));
		p->plain = st;
	}
}

static void on_finding(void *self, const struct shared *s, const struct finding *f)
{
	struct progress *p = self;

	p->findings++;
	if (p->findings == 1) {
		struct status st;

		status_take(&st, s);
		p->first_finding = st.operations;
	}
	if (p->findings > FIRST_PRINTS)
		return;
	clear_live(p);
	finding_print_short(p->findings, f, p->out);
	if (p->findings == FIRST_PRINTS)
		fprintf(p->out, "further findings are stored, not printed: recow report %s\n", p->run);
	fflush(p->out);
}

static void on_note(void *self, const char *line)
{
	struct progress *p = self;

	if (p->verbosity >= 0)
		say(p, line);
}

/* What nobody knew before the target was mounted. */
static void tell_left_out(struct progress *p, const struct shared *s)
{
	char text[512];

	json_object_set_new(json_object_get(p->description, "plan"), "operations_left_out",
			    json_text(plan_left_out(text, sizeof(text), &s->plan, s->target.unmet,
						    s->target.unmet_reason)));
}

static void on_ended(void *self, const struct shared *s, const struct outcome *o)
{
	struct progress *p = self;
	json_t *outcome;
	struct status st;

	clear_live(p);
	status_take(&st, s);
	keep_status(p, s, &st);
	tell_left_out(p, s);
	outcome = outcome_json(s, &st, o);
	if (p->findings)
		json_object_set_new(outcome, "first_finding_operations",
				    json_integer((json_int_t)p->first_finding));
	json_object_set_new(p->description, "outcome", outcome);
	keep_description(p);
}

struct guard_listener progress_listener(struct progress *p)
{
	return (struct guard_listener){
		.self = p,
		.started = on_started,
		.tick = on_tick,
		.finding = on_finding,
		.note = on_note,
		.ended = on_ended,
	};
}
