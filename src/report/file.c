/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run directories: reading the JSON files that the report needs, and writing them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/json.h"
#include "src/finding/store.h"
#include "src/report/report.h"

#define PATH_ROOM (4096 + 64)

static int count_finding(void *self, unsigned int number, const struct finding *f)
{
	struct report *r = self;

	r->classes[f->class]++;
	r->findings++;
	return 0;
}

/* The last line that is whole: a run that was killed may have cut the one after it. */
static json_t *load_last_line(const char *path)
{
	FILE *in = fopen(path, "re");
	json_t *last = NULL;
	char *line = NULL;
	size_t room = 0;

	if (!in)
		return NULL;
	while (getline(&line, &room, in) > 0) {
		json_t *j = json_loads(line, 0, NULL);

		if (!j)
			continue;
		json_decref(last);
		last = j;
	}
	free(line);
	fclose(in);
	return last;
}

int report_load(struct report *r, const char *path, struct error *e)
{
	char file[PATH_ROOM];
	json_error_t why;

	memset(r, 0, sizeof(*r));
	snprintf(r->path, sizeof(r->path), "%s", path);
	if (access(path, F_OK))
		return error_errno(e, EXIT_USAGE, errno, "%s", path);
	snprintf(file, sizeof(file), "%s/run.json", path);
	if (access(file, R_OK))
		return error_errno(e, EXIT_USAGE, errno, "%s is not a run directory: run.json", path);
	r->run = json_load_file(file, 0, &why);
	if (!r->run)
		return error_set(e, EXIT_USAGE, "%s:%d: %s", file, why.line, why.text);
	snprintf(file, sizeof(file), "%s/status.jsonl", path);
	r->status = load_last_line(file);
	chart_load(&r->chart, path);
	if (finding_load(path, count_finding, r, e) < 0) {
		report_free(r);
		return -1;
	}
	return 0;
}

void report_free(struct report *r)
{
	json_decref(r->run);
	json_decref(r->status);
	r->run = r->status = NULL;
}

json_t *report_json(const struct report *r)
{
	json_t *j = json_copy(r->run), *classes = json_object();

	for (int i = 0; i < FINDING_CLASSES; i++) {
		if (r->classes[i])
			json_object_set_new(classes, finding_class_name((enum finding_class)i),
					    json_integer(r->classes[i]));
	}
	json_object_set_new(j, "path", json_text(r->path));
	json_object_set_new(j, "findings", json_integer(r->findings));
	json_object_set_new(j, "findings_by_class", classes);
	json_object_set_new(j, "timeline", chart_json(&r->chart));
	if (!json_object_get(j, "outcome") && r->status)
		json_object_set(j, "last_status", r->status);
	return j;
}

int report_write(const char *run, const char *name, const json_t *j, struct error *e)
{
	char path[PATH_ROOM], fresh[PATH_ROOM + 4];
	FILE *out;
	int bad;

	snprintf(path, sizeof(path), "%s/%s", run, name);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	out = fopen(fresh, "we");
	if (!out)
		return error_errno(e, EXIT_HARNESS, errno, "cannot write %s", fresh);
	bad = json_dumpf(j, out, JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) ||
	      fputc('\n', out) == EOF || fflush(out) || fsync(fileno(out));
	bad |= fclose(out);
	if (bad || rename(fresh, path))
		return error_errno(e, EXIT_HARNESS, errno, "cannot write %s", path);
	return 0;
}

int report_append(const char *run, const char *name, const json_t *j, struct error *e)
{
	char path[PATH_ROOM];
	FILE *out;
	int bad;

	snprintf(path, sizeof(path), "%s/%s", run, name);
	out = fopen(path, "ae");
	if (!out)
		return error_errno(e, EXIT_HARNESS, errno, "cannot write %s", path);
	bad = json_dumpf(j, out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12)) ||
	      fputc('\n', out) == EOF;
	bad |= fclose(out);
	return bad ? error_errno(e, EXIT_HARNESS, errno, "cannot write %s", path) : 0;
}
