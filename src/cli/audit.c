/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recow audit: what the audit finds, for people and for programs. */
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "src/audit/audit.h"
#include "src/base/json.h"
#include "src/base/units.h"
#include "src/cli/cli.h"

#define FINDINGS_TOLD 20U /* of each rule, unless all are asked for */

struct told {
	bool json, live;
	json_t *list;
};

static _Atomic bool stop;

static void on_signal(int number)
{
	stop = true;
}

static json_t *finding_json(const struct audit_finding *f)
{
	json_t *j = json_pack("{s:s, s:s}", "rule", rule_name(f->rule), "text", f->text);
	char text[64];

	if (f->tree)
		json_object_set_new(j, "tree", json_string(tree_show(text, sizeof(text), f->tree)));
	if (f->tree)
		json_object_set_new(j, "tree_id", json_integer((json_int_t)f->tree));
	if (f->block)
		json_object_set_new(j, "block", json_integer((json_int_t)f->block));
	if (f->level >= 0)
		json_object_set_new(j, "level", json_integer(f->level));
	if (f->copy)
		json_object_set_new(j, "copy", json_integer(f->copy));
	if (f->slot >= 0)
		json_object_set_new(j, "slot", json_integer(f->slot));
	if (f->keyed)
		json_object_set_new(j, "key", json_string(key_show(text, sizeof(text), &f->key)));
	if (f->inode)
		json_object_set_new(j, "inode", json_integer((json_int_t)f->inode));
	if (f->path[0])
		json_object_set_new(j, "path", json_string(f->path));
	if (f->device) {
		json_object_set_new(j, "device", json_text(f->device));
		json_object_set_new(j, "physical", json_integer((json_int_t)f->physical));
	}
	return j;
}

static void clear_live(struct told *t)
{
	if (t->live)
		fputs("\r\033[K", stderr);
	t->live = false;
}

static void print_finding(const struct audit_finding *f)
{
	char text[1024];

	fputs(audit_describe(text, sizeof(text), f), stdout);
	if (f->path[0])
		printf(" [%s]", f->path);
	else if (f->inode)
		printf(" [inode %" PRIu64 ", no path]", f->inode);
	putchar('\n');
}

static void found(void *context, const struct audit_finding *f)
{
	struct told *t = context;

	if (t->json) {
		json_array_append_new(t->list, finding_json(f));
		return;
	}
	clear_live(t);
	print_finding(f);
}

static void progress(void *context, const char *stage, uint64_t blocks)
{
	struct told *t = context;
	char n[32];

	fprintf(stderr, "\r\033[K%s: %s blocks", stage, units_show_count(n, sizeof(n), blocks));
	fflush(stderr);
	t->live = true;
}

static int exit_of(const struct audit_result *r)
{
	if (r->findings)
		return EXIT_FINDING;
	return r->refused ? EXIT_INCONCLUSIVE : EXIT_CLEAN;
}

static json_t *rules_json(const struct audit_result *r)
{
	json_t *j = json_object();

	for (unsigned int i = 0; i < RULES; i++) {
		if (r->by_rule[i])
			json_object_set_new(j, rule_name(i), json_integer((json_int_t)r->by_rule[i]));
	}
	return j;
}

static void print_json(const struct audit_result *r, json_t *findings)
{
	json_t *unchecked = json_array(), *j;

	for (unsigned int i = 0; i < r->unchecked_count; i++)
		json_array_append_new(unchecked, json_text(r->unchecked[i]));
	j = json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:o, s:o, s:o}",
		      "recow", PACKAGE_VERSION, "format", 1, "exit", exit_of(r), "generation",
		      (json_int_t)r->generation, "trees", (json_int_t)r->trees, "blocks",
		      (json_int_t)r->blocks, "copies", (json_int_t)r->copies, "bytes", (json_int_t)r->bytes,
		      "data_bytes", (json_int_t)r->data_bytes, "scanned", (json_int_t)r->scanned,
		      "footprints", (json_int_t)r->footprints, "table_bytes", (json_int_t)r->memory,
		      "seconds", (double)r->ns / (double)NSEC_PER_SEC, "findings", (json_int_t)r->findings,
		      "by_rule", rules_json(r), "unchecked", unchecked, "list", findings);
	cli_print_json(j);
}

static void print_more(const struct audit_result *r, unsigned int limit)
{
	for (unsigned int i = 0; i < RULES; i++) {
		if (limit && r->by_rule[i] > limit)
			printf("%s: %" PRIu64 " more (--all prints them)\n", rule_name(i),
			       r->by_rule[i] - limit);
	}
	for (unsigned int i = 0; i < RULES; i++) {
		if (r->by_rule[i])
			printf("  %-20s %8" PRIu64 "  rule: %s\n", rule_name(i), r->by_rule[i], rule_text(i));
	}
}

static void print_text(const struct audit_result *r, unsigned int limit)
{
	char blocks[32], bytes[32], time[32], data[32];

	print_more(r, limit);
	for (unsigned int i = 0; i < r->unchecked_count; i++)
		printf("not checked: %s\n", r->unchecked[i]);
	if (r->scanned)
		printf("unreachable: %" PRIu64 " places looked at, %" PRIu64 " written without the mark\n",
		       r->scanned, r->footprints);
	if (r->data_bytes)
		printf("data: %s checked\n", units_show_size(data, sizeof(data), r->data_bytes));
	if (r->refused && !r->findings)
		printf("not checked\n");
	else
		printf("%s: %" PRIu64 " finding%s; %s blocks of %" PRIu64 " trees, %s read, in %s\n",
		       r->findings ? "corrupt" : "clean", r->findings, r->findings == 1 ? "" : "s",
		       units_show_count(blocks, sizeof(blocks), r->blocks), r->trees,
		       units_show_size(bytes, sizeof(bytes), r->bytes),
		       units_show_duration(time, sizeof(time), r->ns));
}

static int audit_paths(const char *const *paths, size_t count, struct audit_options *o, struct told *t,
		       struct error *e)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct audit_result result;
	int ret;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	o->stop = &stop;
	o->context = t;
	o->found = found;
	o->progress = isatty(STDERR_FILENO) && !t->json ? progress : NULL;
	t->list = json_array();
	ret = audit_run(paths, count, o, &result, e);
	clear_live(t);
	if (ret || !t->json)
		json_decref(t->list);
	if (ret)
		return -1;
	if (t->json)
		print_json(&result, t->list);
	else
		print_text(&result, o->limit);
	return exit_of(&result);
}

int command_audit(int argc, char **argv, struct error *e)
{
	static const struct option options[] = {
		{"all", no_argument, NULL, 'a'},
		{"data", no_argument, NULL, 'd'},
		{"scan", no_argument, NULL, 's'},
		{"threads", required_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct audit_options o = {.limit = FINDINGS_TOLD};
	struct told t = {0};
	uint64_t threads = 0;
	int c;

	while ((c = cli_option(argc, argv, ":h", options, e)) != -1) {
		if (c == -2)
			return -1;
		if (c == 'h')
			return cli_help(argv[0]);
		if (c == 't' && units_count(optarg, &threads, e))
			return error_context(e, "--threads");
		if (c == 'a')
			o.limit = 0;
		o.data |= c == 'd';
		o.scan |= c == 's';
		t.json |= c == 'j';
	}
	if (threads > 256)
		return error_set(e, EXIT_USAGE, "--threads: at most 256");
	o.threads = (unsigned int)threads;
	if (optind == argc)
		return error_set(e, EXIT_USAGE,
				 "audit: the device or image is missing; see recow audit --help");
	return audit_paths((const char *const *)argv + optind, (size_t)(argc - optind), &o, &t, e);
}
