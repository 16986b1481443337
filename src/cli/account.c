/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/account.h"

#include "src/cli/namer.h"
#include "src/journal/file.h"
#include "src/report/print.h"

/* The journal of one worker while it is read. */
struct reading {
	struct stories *stories;
	struct journal_reader *reader;
	struct namer namer;
	struct effects effects;
	bool want_paths;
};

static void take_record(struct reading *rd, const struct journal_record *record)
{
	static _Thread_local char path[2][4 * 4096], text[4 * 4096 * 2 + 512];
	const char *paths[] = {path[0], path[1]};
	const struct op_namer show = namer_for_show(&rd->namer);
	const struct op *op = op_by_id(record->kind);
	struct effect effect[EFFECTS_MAX];
	const struct story_record r = {
		.worker = rd->namer.worker,
		.run = journal_reader_header(rd->reader)->run,
		.record = record,
		.path = paths,
		.paths = rd->want_paths ? namer_paths(&rd->namer, record, path) : 0,
		.effect = effect,
		.effects = effects_of(&rd->effects, record, effect),
		.followed = &rd->effects,
	};

	if (!stories_want(rd->stories, &r))
		return;
	if (op)
		op->show(record, &show, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "unknown operation %u = %d", record->kind, record->answer);
	stories_record(rd->stories, &r, text);
}

static void read_records(struct reading *rd)
{
	struct journal_record r;
	struct error ignored;

	while (journal_reader_next(rd->reader, &r, NULL, &ignored) > 0) {
		if (r.flags & JOURNAL_MARK)
			stories_barrier(rd->stories, rd->namer.worker, r.start);
		else
			take_record(rd, &r);
		namer_learn(&rd->namer, &r);
	}
}

static void read_journal(struct stories *s, const char *run, uint32_t worker, unsigned int shared_dirs)
{
	struct reading rd = {.stories = s, .want_paths = stories_want_paths(s)};
	struct error ignored;
	char dir[4096 + 16];

	snprintf(dir, sizeof(dir), "%s/journal", run);
	rd.reader = journal_reader_open(dir, worker, &ignored);
	if (!rd.reader)
		return;
	if (namer_begin(&rd.namer, run, worker, shared_dirs, &ignored) == 0) {
		const struct journal_header *head = journal_reader_header(rd.reader);

		stories_journal(s, worker, head->first);
		effects_begin(&rd.effects, head->start);
		read_records(&rd);
		effects_end(&rd.effects);
		namer_end(&rd.namer);
	}
	journal_reader_close(rd.reader);
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
	for (unsigned int i = 0; i < s->count; i++)
		values_conclude(s, s->story[i]);
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
