/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recow verify RUN: a filesystem against a run's recorded state. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/json.h"
#include "src/base/units.h"
#include "src/cli/account.h"
#include "src/cli/cli.h"
#include "src/cli/recheck.h"
#include "src/finding/store.h"
#include "src/guard/mounts.h"
#include "verify/durable.h"

struct verify_options {
	const char *run, *target, *list, *output;
	bool json, help;
};

static int parse(int argc, char **argv, struct verify_options *o, struct error *e)
{
	static const struct option options[] = {
		{"target", required_argument, NULL, 't'}, {"verify", required_argument, NULL, 'v'},
		{"output", required_argument, NULL, 'o'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct verify_options){0};
	while ((c = cli_option(argc, argv, ":o:h", options, e)) != -1) {
		if (c == -2)
			return -1;
		o->target = c == 't' ? optarg : o->target;
		o->list = c == 'v' ? optarg : o->list;
		o->output = c == 'o' ? optarg : o->output;
		o->json |= c == 'j';
		o->help |= c == 'h';
	}
	return o->help ? 0 : cli_one_argument(argc, argv, "the run directory", &o->run, e);
}

/* ---- Ctrl-C */

struct watch {
	pthread_t thread;
	sigset_t signals, before;
	_Atomic bool *stop;
};

/* The first signal ends the verification in order; mounts and loop device are given back. */
static void *watch_thread(void *self)
{
	struct watch *w = self;
	int number;

	while (sigwait(&w->signals, &number) == 0)
		atomic_store(w->stop, true);
	return NULL;
}

static int watch_start(struct watch *w, _Atomic bool *stop, struct error *e)
{
	int err;

	w->stop = stop;
	sigemptyset(&w->signals);
	sigaddset(&w->signals, SIGINT);
	sigaddset(&w->signals, SIGTERM);
	sigaddset(&w->signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &w->signals, &w->before);
	err = pthread_create(&w->thread, NULL, watch_thread, w);
	return err ? error_errno(e, EXIT_HARNESS, err, "a thread for signals") : 0;
}

static void watch_end(struct watch *w)
{
	pthread_cancel(w->thread);
	pthread_join(w->thread, NULL);
	pthread_sigmask(SIG_SETMASK, &w->before, NULL);
}

/* ---- words */

struct sums {
	uint64_t bytes, objects, names, unsure;
};

static struct sums sum_up(const struct recheck *r)
{
	struct sums s = {0};

	for (unsigned int i = 0; i < r->verifiers; i++) {
		s.bytes += r->counters[i].bytes;
		s.objects += r->counters[i].objects;
		s.names += r->counters[i].names;
		s.unsure += r->counters[i].unsure;
	}
	return s;
}

static unsigned int all_findings(const struct recheck *r)
{
	unsigned int all = 0;

	for (unsigned int i = 0; i < FINDING_CLASSES; i++)
		all += i == FINDING_HARNESS ? 0 : r->by_class[i];
	return all;
}

/* Could operations have done all of it that nobody knows of? */
static bool all_explainable(const struct recheck *r)
{
	static const enum finding_class never[] = {FINDING_EIO,  FINDING_EROFS, FINDING_KERNEL,
						   FINDING_HANG, FINDING_FSCK,  FINDING_TARGET};

	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		if (r->by_class[never[i]])
			return false;
	}
	return true;
}

static void add_classes(const struct recheck *r, char *text, size_t len)
{
	const char *comma = " (";

	for (unsigned int i = 0; i < FINDING_CLASSES; i++) {
		size_t used = strlen(text);

		if (!r->by_class[i] || i == FINDING_HARNESS)
			continue;
		snprintf(text + used, len - used, "%s%s %u", comma, finding_class_name((enum finding_class)i),
			 r->by_class[i]);
		comma = ", ";
	}
	snprintf(text + strlen(text), len - strlen(text), ")");
}

/* No finding, since btrfs has always done so. */
static void add_cut_off(const struct recheck *r, char *text, size_t len)
{
	const uint64_t blocks = r->counters[0].kept[DURABLE_CUT_OFF];

	if (blocks)
		snprintf(text + strlen(text), len - strlen(text),
			 "; in %llu block%s bytes are back that had been cut off: btrfs commits a greater "
			 "size "
			 "before the zeroes "
			 "behind the old one",
			 (unsigned long long)blocks, blocks == 1 ? "" : "s");
}

/* Nothing is wrong of what was durable. */
static enum exit_code conclude_durable(const struct recheck *r, char *text, size_t len)
{
	const struct verify_counters *c = &r->counters[0];
	char objects[32], names[32], blocks[32], operations[32];

	if (!c->kept[DURABLE_OBJECTS] && !c->kept[DURABLE_NAMES] && !c->witnesses) {
		snprintf(text, len, "inconclusive: nothing of the run was durable, or it can't be told");
		return EXIT_INCONCLUSIVE;
	}
	snprintf(text, len,
		 "clean: %s durable objects with %s blocks, %s durable names, %llu snapshots are as they "
		 "were when they were synced, or as "
		 "something later left them (%s operations, %llu of them in flight at the end)",
		 units_show_count(objects, sizeof(objects), c->kept[DURABLE_OBJECTS]),
		 units_show_count(blocks, sizeof(blocks), c->kept[DURABLE_BLOCKS]),
		 units_show_count(names, sizeof(names), c->kept[DURABLE_NAMES]),
		 (unsigned long long)c->witnesses,
		 units_show_count(operations, sizeof(operations), r->history.operations),
		 (unsigned long long)r->history.in_flight);
	add_cut_off(r, text, len);
	return EXIT_CLEAN;
}

/* What was done last is not known: what looks wrong may be its work. */
static enum exit_code conclude_unsure(const struct recheck *r, char *text, size_t len)
{
	snprintf(text, len,
		 "inconclusive: %u differences from what was durable, and what the workers did last is not "
		 "known (%s/journal/tail is missing, "
		 "or of another boot)",
		 all_findings(r), r->run);
	return EXIT_INCONCLUSIVE;
}

/* The last line, and what it means for the exit code. */
static enum exit_code conclude(const struct recheck *r, char *text, size_t len)
{
	unsigned int findings = all_findings(r);
	struct sums s = sum_up(r);
	char bytes[32], objects[32], names[32];

	if (findings && r->durable && !r->history.complete && all_explainable(r))
		return conclude_unsure(r, text, len);
	if (findings) {
		snprintf(text, len, "%u finding%s", findings, findings == 1 ? "" : "s");
		add_classes(r, text, len);
		return EXIT_FINDING;
	}
	if (r->by_class[FINDING_HARNESS]) {
		snprintf(text, len,
			 "recow's own record of the run is damaged; nothing is said of the target");
		return EXIT_HARNESS;
	}
	if (atomic_load(&r->stop)) {
		snprintf(text, len, "cut short by the user; until then nothing wrong seen");
		return EXIT_HARNESS;
	}
	if (r->durable)
		return conclude_durable(r, text, len);
	if (r->amid_round) {
		snprintf(text, len, "clean: nothing wrong seen; names and contents were not compared");
		return EXIT_CLEAN;
	}
	snprintf(text, len, "clean: %s, %s objects, %s names as the run recorded them at its last barrier",
		 units_show_size(bytes, sizeof(bytes), s.bytes),
		 units_show_count(objects, sizeof(objects), s.objects),
		 units_show_count(names, sizeof(names), s.names));
	return EXIT_CLEAN;
}

static void print_verifier(const struct recheck *r, unsigned int i)
{
	const struct verify_counters *c = &r->counters[i];
	char bytes[32], time[32];

	if (r->not_run[i]) {
		printf("  not run     %s: %s\n", r->verifier[i]->name, r->not_run[i]);
		return;
	}
	if (!c->time_ns)
		return;
	printf("  verified    %s", r->verifier[i]->name);
	if (c->bytes || c->scrubbed)
		printf(": %s", units_show_size(bytes, sizeof(bytes), c->bytes + c->scrubbed));
	printf(" in %s", units_show_duration(time, sizeof(time), c->time_ns));
	if (c->unsure)
		printf("; %llu blocks not compared: unknown after an error", (unsigned long long)c->unsure);
	printf("\n");
}

/* By cause, with what the run directory knows of each. */
static void tell_stories(const struct recheck *r, const struct verify_options *o, struct stories *s)
{
	char made[sizeof(s->again)];

	stories_begin(s, r->report.run, ACCOUNT_STORIES);
	for (unsigned int i = 0; i < r->findings; i++)
		stories_add(s, i + 1, r->finding[i]);
	snprintf(made, sizeof(made), "%s", s->again);
	snprintf(s->again, sizeof(s->again), "recow verify %.600s%s%.600s; the run itself: %.700s", o->run,
		 o->target ? " --target " : "", o->target ? o->target : "", made);
	story_replay(s->replay, sizeof(s->replay), r->run, r->report.run);
	s->no_dumps = !o->output;
	account_tell(s, r->run, r->report.run);
}

static void print_text(const struct recheck *r, const struct verify_options *o)
{
	struct stories s;

	tell_stories(r, o, &s);
	account_print(&s, stdout);
	stories_free(&s);
	if (r->kept.writable)
		printf("  target      its log had to be replayed: mounting it has written to it\n");
	for (unsigned int i = 0; i < r->verifiers; i++)
		print_verifier(r, i);
}

static json_t *verified_json(const struct recheck *r)
{
	json_t *all = json_object();

	for (unsigned int i = 0; i < r->verifiers; i++) {
		const struct verify_counters *c = &r->counters[i];
		json_t *j = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "bytes", (json_int_t)c->bytes,
				      "objects", (json_int_t)c->objects, "names", (json_int_t)c->names,
				      "scrubbed_bytes", (json_int_t)c->scrubbed, "unsure",
				      (json_int_t)c->unsure, "time_ns", (json_int_t)c->time_ns);

		if (r->not_run[i])
			json_object_set_new(j, "unavailable", json_string(r->not_run[i]));
		json_object_set_new(all, r->verifier[i]->name, j);
	}
	return all;
}

static json_t *durable_json(const struct recheck *r)
{
	const struct verify_counters *c = &r->counters[0];

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "objects",
			 (json_int_t)c->kept[DURABLE_OBJECTS], "names", (json_int_t)c->kept[DURABLE_NAMES],
			 "blocks", (json_int_t)c->kept[DURABLE_BLOCKS], "cut_off_blocks",
			 (json_int_t)c->kept[DURABLE_CUT_OFF], "snapshots", (json_int_t)c->witnesses,
			 "operations", (json_int_t)r->history.operations, "in_flight",
			 (json_int_t)r->history.in_flight, "complete", (int)r->history.complete);
}

static json_t *result_json(const struct recheck *r, const struct verify_options *o, enum exit_code exit,
			   const char *verdict)
{
	json_t *list = json_array(), *stories, *all;
	struct stories s;

	for (unsigned int i = 0; i < r->findings; i++)
		json_array_append_new(list, finding_json(i + 1, r->finding[i]));
	tell_stories(r, o, &s);
	stories = account_json(&s);
	stories_free(&s);
	all = json_pack("{s:i, s:o, s:o, s:i, s:s, s:b, s:o, s:o, s:o}", "format", 1, "run",
			json_text(r->run), "target", json_text(r->kept.target.spec.path), "exit", (int)exit,
			"verdict", verdict, "log_replayed", r->kept.writable, "verified", verified_json(r),
			"findings", list, "stories", stories);
	if (r->durable)
		json_object_set_new(all, "durable", durable_json(r));
	return all;
}

/* ---- what is kept of it */

static int store(const struct recheck *r, const char *dir, const json_t *result, struct error *e)
{
	for (unsigned int i = 0; i < r->findings; i++) {
		if (finding_store(dir, i + 1, r->finding[i], e))
			return -1;
	}
	return report_write(dir, "verify.json", result, e);
}

static int finish(struct recheck *r, const struct verify_options *o, enum exit_code exit, const char *verdict,
		  struct error *e)
{
	json_t *result = result_json(r, o, exit, verdict);
	int rc = o->output ? store(r, o->output, result, e) : 0;

	if (!rc && o->json) {
		json_dumpf(result, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
		putchar('\n');
	} else if (!rc) {
		print_text(r, o);
		printf("%s\n", verdict);
	}
	json_decref(result);
	return rc ? -1 : (int)exit;
}

static int verify(struct recheck *r, const struct verify_options *o, struct error *e)
{
	char verdict[1024] = "inconclusive: ";
	struct watch watch;
	size_t used = strlen(verdict);
	int err, rc;

	if (!recheck_exact(r, verdict + used, sizeof(verdict) - used) && recheck_amid_round(r, e)) {
		if (e->exit != EXIT_INCONCLUSIVE)
			return -1;
		snprintf(verdict + used, sizeof(verdict) - used, "%.1000s", e->text);
		return finish(r, o, EXIT_INCONCLUSIVE, verdict, e);
	}
	err = mounts_private();
	if (err)
		return error_errno(e, EXIT_CANNOT, err, "a mount namespace");
	if (watch_start(&watch, &r->stop, e))
		return -1;
	rc = recheck_run(r, e);
	watch_end(&watch);
	if (rc)
		return -1;
	return finish(r, o, conclude(r, verdict, sizeof(verdict)), verdict, e);
}

/* Programs write their output somewhere, with or without -o. */
static int with_logs(struct recheck *r, const struct verify_options *o, struct error *e)
{
	char temporary[] = "/tmp/recow-verify-XXXXXX", log[64];
	int rc;

	if (o->output) {
		r->logs = o->output;
		if (mkdir(o->output, 0700))
			return error_errno(e, EXIT_USAGE, errno, "--output: %s", o->output);
		return verify(r, o, e);
	}
	r->logs = temporary;
	if (!mkdtemp(temporary))
		return error_errno(e, EXIT_CANNOT, errno, "%s", temporary);
	rc = verify(r, o, e);
	snprintf(log, sizeof(log), "%s/fsck.log", temporary);
	unlink(log);
	rmdir(temporary);
	return rc;
}

int command_verify(int argc, char **argv, struct error *e)
{
	struct verify_options o;
	struct recheck *r;
	char run[4096];
	int rc;

	if (parse(argc, argv, &o, e))
		return -1;
	if (o.help)
		return cli_help(argv[0]);
	if (geteuid() != 0)
		return error_set(e, EXIT_CANNOT, "verify needs root: sudo recow verify %s", o.run);
	if (!realpath(o.run, run))
		return error_errno(e, EXIT_USAGE, errno, "%s", o.run);
	r = calloc(1, sizeof(*r));
	if (!r)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "verify");
	r->run = run;
	r->where = o.target;
	rc = recheck_load(r, o.list, e) ? -1 : with_logs(r, &o, e);
	recheck_free(r);
	free(r);
	return rc;
}
