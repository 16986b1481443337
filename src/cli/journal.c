/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/units.h"
#include "src/cli/cli.h"
#include "src/cli/namer.h"
#include "src/journal/file.h"
#include "src/report/report.h"

struct journal_options {
	const char *run, *path; /* path: NULL for all */
	long worker;            /* -1: all */
	bool json, help;
};

static int parse(int argc, char **argv, struct journal_options *o, struct error *e)
{
	static const struct option options[] = {
		{"worker", required_argument, NULL, 'w'},
		{"path", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	uint64_t worker;
	int c;

	*o = (struct journal_options){.worker = -1};
	while ((c = cli_option(argc, argv, ":h", options, e)) != -1) {
		if (c == -2)
			return -1;
		if (c == 'w' && units_count(optarg, &worker, e))
			return error_context(e, "--worker");
		if (c == 'w')
			o->worker = (long)MIN(worker, (uint64_t)UINT32_MAX);
		o->path = c == 'p' ? optarg : o->path;
		o->json |= c == 'j';
		o->help |= c == 'h';
	}
	return o->help ? 0 : cli_one_argument(argc, argv, "the run directory", &o->run, e);
}

/* Is the record about this path, or about something below it? */
static bool concerns(const struct namer *n, const struct journal_record *r, const char *wanted)
{
	static _Thread_local char paths[2][4 * 4096];
	unsigned int count;
	size_t len;

	if (!wanted)
		return true;
	if (r->flags & JOURNAL_MARK)
		return false;
	len = strlen(wanted);
	count = namer_paths(n, r, paths);
	for (unsigned int i = 0; i < count; i++) {
		if (strncmp(paths[i], wanted, len) == 0 && (!paths[i][len] || paths[i][len] == '/'))
			return true;
	}
	return false;
}

static void print_json(const struct journal_record *r, uint32_t worker, const char *op, const char *text)
{
	json_t *j = json_pack("{s:i, s:I, s:I, s:I, s:i, s:s, s:I, s:s}", "worker", (int)worker, "operation",
			      (json_int_t)r->operation, "start_ns", (json_int_t)r->start, "took_us",
			      (json_int_t)r->took, "phase", (int)r->phase, "op", op, "answer",
			      (json_int_t)r->answer, "text", text);

	json_dumpf(j, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(j);
}

static void print_record(const struct namer *n, const struct journal_record *r, bool json)
{
	const struct op_namer show = namer_for_show(n);
	const struct op *op = op_by_id(r->kind);
	char text[4 * 4096 * 2 + 512];

	if (r->flags & JOURNAL_MARK)
		snprintf(text, sizeof(text), "---- round %llu, phase %d", (unsigned long long)r->args.offset,
			 r->answer);
	else if (op)
		op->show(r, &show, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "unknown operation %u = %d", r->kind, r->answer);
	if (json)
		print_json(r, n->worker, r->flags & JOURNAL_MARK ? "mark" : op ? op->name : "unknown", text);
	else
		printf("w%04u %8llu %12.6f %s <%u.%06u>\n", n->worker, (unsigned long long)r->operation,
		       (double)r->start / NSEC_PER_SEC, text, r->took / 1000000, r->took % 1000000);
}

static int print_records(const struct journal_options *o, struct namer *n, struct journal_reader *reader,
			 struct error *e)
{
	struct journal_record r;
	uint64_t truncated = 0, last = 0;
	int more;

	while ((more = journal_reader_next(reader, &r, &truncated, e)) > 0) {
		if (concerns(n, &r, o->path))
			print_record(n, &r, o->json);
		namer_learn(n, &r);
		last = r.operation;
	}
	if (truncated) {
		fflush(stdout);
		fprintf(stderr,
			"recow: the journal of worker %u is truncated: %llu bytes behind operation %llu are "
			"unread\n",
			n->worker, (unsigned long long)truncated, (unsigned long long)last);
	}
	return more;
}

static int print_worker(const struct journal_options *o, uint32_t worker, unsigned int shared_dirs,
			struct error *e)
{
	struct journal_reader *reader;
	char dir[4096 + 16];
	struct namer namer;
	int ret;

	if (namer_begin(&namer, o->run, worker, shared_dirs, e))
		return -1;
	snprintf(dir, sizeof(dir), "%s/journal", o->run);
	reader = journal_reader_open(dir, worker, e);
	ret = reader ? print_records(o, &namer, reader, e) : -1;
	if (reader)
		journal_reader_close(reader);
	namer_end(&namer);
	return ret;
}

int command_journal(int argc, char **argv, struct error *e)
{
	struct journal_options o;
	unsigned int workers, shared_dirs;
	struct report r;
	const json_t *plan;

	if (parse(argc, argv, &o, e))
		return -1;
	if (o.help)
		return cli_help(argv[0]);
	if (report_load(&r, o.run, e))
		return -1;
	plan = json_object_get(r.run, "plan");
	workers = (unsigned int)json_integer_value(json_object_get(plan, "workers"));
	shared_dirs = (unsigned int)json_integer_value(json_object_get(plan, "shared_dirs"));
	report_free(&r);
	if (o.worker >= (long)workers)
		return error_set(e, EXIT_USAGE, "--worker: the run had %u workers, 0 to %u", workers,
				 workers - 1);
	for (uint32_t i = 0; i < workers; i++) {
		if ((o.worker < 0 || o.worker == (long)i) && print_worker(&o, i, shared_dirs, e))
			return -1;
	}
	return EXIT_CLEAN;
}
