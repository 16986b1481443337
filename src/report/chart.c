/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/chart.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/units.h"
#include "src/report/print.h"

#define BAR 24

/* ---- reading ---- */

/* Call `take` with each line of RUN/name that is a JSON object. */
static void each_line(const char *run, const char *name,
		      void (*take)(struct chart *c, const json_t *j, void *arg), struct chart *c, void *arg)
{
	char path[4096 + 64], *line = NULL;
	size_t room = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", run, name);
	in = fopen(path, "re");
	if (!in)
		return;
	while (getline(&line, &room, in) > 0) {
		json_t *j = json_loads(line, 0, NULL);

		if (json_is_object(j))
			take(c, j, arg);
		json_decref(j);
	}
	free(line);
	fclose(in);
}

static void find_end(struct chart *c, const json_t *j, void *end)
{
	double *last = end, t = json_number(j, "t");

	if (t > *last)
		*last = t;
}

/* The smallest length of people's measure with which the whole run fits. */
static double choose_length(double whole)
{
	static const double lengths[] = {1,   2,   5,    10,   20,   30,   60,    120,
					 300, 600, 1200, 1800, 3600, 7200, 14400, 21600};
	double length = 1;

	for (size_t i = 0; i < ARRAY_SIZE(lengths) && whole > length * CHART_ROWS; i++)
		length = lengths[i];
	while (whole > length * CHART_ROWS)
		length *= 2;
	return length;
}

static struct chart_row *row_at(struct chart *c, double t)
{
	unsigned int i = t > 0 ? (unsigned int)(t / c->seconds) : 0;

	return &c->row[MIN(i, c->rows - 1)];
}

/* The part of [begin, end) that lies in row i, in seconds. */
static double overlap(const struct chart *c, unsigned int i, double begin, double end)
{
	double from = MAX(begin, i * c->seconds), to = MIN(end, (i + 1) * c->seconds);

	return to > from ? to - from : 0;
}

struct counters {
	double t, operations, pages, dirty;
};

/* What was done between two lines is spread evenly over the time between them. */
static void spread(struct chart *c, const struct counters *before, const struct counters *now)
{
	double span = now->t - before->t;

	for (unsigned int i = 0; span > 0 && i < c->rows; i++) {
		double seconds = overlap(c, i, before->t, now->t), part = seconds / span;

		c->row[i].covered += seconds;
		c->row[i].operations += part * (now->operations - before->operations);
		c->row[i].pages += part * (now->pages - before->pages);
		c->row[i].dirty += part * (now->dirty - before->dirty);
	}
}

static uint32_t injector_bit(struct chart *c, const char *name)
{
	unsigned int i = 0;

	while (i < c->injectors && strcmp(c->injector[i], name) != 0)
		i++;
	if (i == CHART_INJECTORS)
		return 0;
	if (i == c->injectors)
		snprintf(c->injector[c->injectors++], sizeof(c->injector[0]), "%s", name);
	return 1U << i;
}

static void take_status(struct chart *c, const json_t *j, void *arg)
{
	struct counters *before = arg, now = {json_number(j, "t"), json_number(j, "operations"),
					      json_number(j, "migrated"), json_number(j, "dirty_moved")};
	/* What a line says of its moment is taken for the time since the line before. */
	struct chart_row *row = row_at(c, (before->t + now.t) / 2);
	const char *stage = json_text(j, "stage");
	json_t *name;
	size_t i;

	spread(c, before, &now);
	*before = now;
	if (!strcmp(stage, "verify"))
		row->marks |= CHART_VERIFY;
	if (!strcmp(stage, "remount"))
		row->marks |= CHART_REMOUNT;
	json_array_foreach(json_object_get(j, "injecting"), i, name)
	{
		if (json_is_string(name))
			row->injectors |= injector_bit(c, json_string_value(name));
	}
}

static void take_event(struct chart *c, const json_t *j, void *arg)
{
	const char *event = json_text(j, "event");
	struct chart_row *row = row_at(c, json_number(j, "t"));

	if (!strcmp(event, "freeze"))
		row->marks |= CHART_FREEZE;
	if (!strcmp(event, "finding"))
		row->marks |= CHART_FINDING;
}

void chart_load(struct chart *c, const char *run)
{
	struct counters zero = {0};
	double end = 0;

	*c = (struct chart){0};
	each_line(run, "status.jsonl", find_end, c, &end);
	if (end <= 0)
		return;
	c->seconds = choose_length(end);
	while (c->rows < CHART_ROWS && c->rows * c->seconds < end)
		c->rows++;
	each_line(run, "status.jsonl", take_status, c, &zero);
	each_line(run, "timeline.old.jsonl", take_event, c, NULL);
	each_line(run, "timeline.jsonl", take_event, c, NULL);
}

/* ---- showing ---- */

static double rate(double amount, const struct chart_row *r)
{
	return r->covered > 0 && amount > 0 ? amount / r->covered : 0;
}

static void print_bar(double value, double most, FILE *out)
{
	unsigned int full = most > 0 ? (unsigned int)(value / most * BAR + 0.5) : 0;

	for (unsigned int i = 0; i < BAR; i++)
		fputc(i < full ? '#' : ' ', out);
}

static void print_rate(double amount, const struct chart_row *r, FILE *out)
{
	char text[32];

	fprintf(out, " %7s", units_show_count(text, sizeof(text), (uint64_t)(rate(amount, r) + 0.5)));
}

static void print_injectors(const struct chart *c, const struct chart_row *r, FILE *out)
{
	const char *lead = "  ";

	for (unsigned int i = 0; i < c->injectors; i++) {
		if (!(r->injectors >> i & 1))
			continue;
		fprintf(out, "%s%s", lead, c->injector[i]);
		lead = ", ";
	}
	fputc('\n', out);
}

static void print_row(const struct chart *c, unsigned int i, double most, FILE *out)
{
	const struct chart_row *r = &c->row[i];
	unsigned int t = (unsigned int)(i * c->seconds);
	char marks[] = "....";

	for (unsigned int k = 0; k < sizeof(marks) - 1; k++) {
		if (r->marks >> k & 1)
			marks[k] = "VRF!"[k];
	}
	fprintf(out, "  %3u:%02u:%02u  |", t / 3600, t / 60 % 60, t % 60);
	print_bar(rate(r->operations, r), most, out);
	fputc('|', out);
	print_rate(r->operations, r, out);
	print_rate(r->pages, r, out);
	print_rate(r->dirty, r, out);
	fprintf(out, "  %s", marks);
	print_injectors(c, r, out);
}

void chart_print(const struct chart *c, FILE *out)
{
	double most = 0;
	char length[32];

	if (!c->rows)
		return;
	for (unsigned int i = 0; i < c->rows; i++)
		most = MAX(most, rate(c->row[i].operations, &c->row[i]));
	fprintf(out, "  timeline    a line is %s; V verify, R remount and fsck, F frozen, ! finding\n",
		units_show_duration(length, sizeof(length), (uint64_t)c->seconds * NSEC_PER_SEC));
	fprintf(out, "  %9s  |%-*s| %7s %7s %7s  marks injectors\n", "", BAR, " operations", "ops/s",
		"moved/s", "dirty/s");
	for (unsigned int i = 0; i < c->rows; i++)
		print_row(c, i, most, out);
}

static json_t *row_json(const struct chart *c, unsigned int i)
{
	static const char *const words[] = {"verify", "remount", "freeze", "finding"};
	const struct chart_row *r = &c->row[i];
	json_t *marks = json_array(), *injectors = json_array();

	for (unsigned int k = 0; k < ARRAY_SIZE(words); k++) {
		if (r->marks >> k & 1)
			json_array_append_new(marks, json_string(words[k]));
	}
	for (unsigned int k = 0; k < c->injectors; k++) {
		if (r->injectors >> k & 1)
			json_array_append_new(injectors, json_string(c->injector[k]));
	}
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "t", i * c->seconds, "seconds", r->covered,
			 "operations", r->operations, "pages", r->pages, "dirty_pages", r->dirty, "marks",
			 marks, "injectors", injectors);
}

json_t *chart_json(const struct chart *c)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < c->rows; i++)
		json_array_append_new(list, row_json(c, i));
	return list;
}
