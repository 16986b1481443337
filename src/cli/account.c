/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/account.h"

#include "src/cli/namer.h"
#include "src/journal/file.h"
#include "src/report/print.h"

static void take_record(struct stories *s, const struct namer *n, const struct journal_record *r,
			bool want_paths)
{
	static _Thread_local char path[2][4 * 4096], text[4 * 4096 * 2 + 512];
	const char *paths[] = {path[0], path[1]};
	const struct op_namer show = namer_for_show(n);
	const struct op *op = op_by_id(r->kind);
	unsigned int count = want_paths ? namer_paths(n, r, path) : 0;

	if (!stories_want(s, n->worker, r, paths, count))
		return;
	if (op)
		op->show(r, &show, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "unknown operation %u = %d", r->kind, r->answer);
	stories_record(s, n->worker, r, paths, count, text);
}

static void read_journal(struct stories *s, const char *run, uint32_t worker, unsigned int shared_dirs)
{
	bool want_paths = stories_want_paths(s);
	struct journal_reader *reader;
	struct journal_record r;
	struct error ignored;
	char dir[4096 + 16];
	struct namer namer;

	snprintf(dir, sizeof(dir), "%s/journal", run);
	reader = journal_reader_open(dir, worker, &ignored);
	if (!reader)
		return;
	if (namer_begin(&namer, run, worker, shared_dirs, &ignored) == 0) {
		while (journal_reader_next(reader, &r, NULL, &ignored) > 0) {
			if (r.flags & JOURNAL_MARK)
				stories_barrier(s, worker, r.start);
			else
				take_record(s, &namer, &r, want_paths);
			namer_learn(&namer, &r);
		}
		namer_end(&namer);
	}
	journal_reader_close(reader);
}

void account_tell(struct stories *s, const char *run, const json_t *run_json)
{
	const json_t *plan = json_object_get(run_json, "plan");
	unsigned int workers = (unsigned int)json_uint(plan, "workers");
	unsigned int shared_dirs = (unsigned int)json_uint(plan, "shared_dirs");

	for (uint32_t i = 0; s->count && i < workers; i++) {
		if (stories_want_worker(s, i))
			read_journal(s, run, i, shared_dirs);
	}
	stories_events(s, run, run_json);
}

int account_load(struct stories *s, const char *run, const json_t *run_json, struct error *e)
{
	if (stories_load(s, run, run_json, ACCOUNT_STORIES, e))
		return -1;
	account_tell(s, run, run_json);
	return 0;
}

void account_print(const struct stories *s, FILE *out)
{
	for (unsigned int i = 0; i < s->count; i++)
		story_print(s, s->story[i], out);
	if (s->left_out)
		fprintf(out, "%u further findings of other causes are in findings.jsonl\n", s->left_out);
}

json_t *account_json(const struct stories *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->count; i++)
		json_array_append_new(list, story_json(s, s->story[i]));
	return list;
}
