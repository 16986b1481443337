/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A story as people read it: about twenty lines, from what is wrong to what to run. */
#include <inttypes.h>
#include <string.h>

#include "src/base/units.h"
#include "src/finding/attribute.h"
#include "src/finding/looks.h"
#include "src/finding/store.h"
#include "src/report/story.h"

#define ROW "  %-9s "

static double seconds(uint64_t ns)
{
	return (double)ns / NSEC_PER_SEC;
}

/* ---- what and where */

static void print_head(const struct story *s, FILE *out)
{
	const enum finding_class class = story_class(s);

	fprintf(out, "FINDING %u: %s: %s", s->number, finding_class_name(class), finding_sentence(class));
	if (s->members > 1) {
		fprintf(out, " (%u findings of one cause: %u", s->members, s->number);
		for (unsigned int i = 1; i < s->members && i < STORY_MEMBERS; i++)
			fprintf(out, ", %u", s->member[i].number);
		fprintf(out, "%s)", s->members > STORY_MEMBERS ? ", ..." : "");
	}
	fprintf(out, "\n");
}

/* What was seen at the further looks has a row of its own. */
static void print_what(const struct finding *f, FILE *out)
{
	const char *looks = strstr(f->detail, "; first read ");

	if (f->detail[0])
		fprintf(out, ROW "%.*s\n", "what", looks ? (int)(looks - f->detail) : (int)strlen(f->detail),
			f->detail);
}

static void print_file(const struct story *s, FILE *out)
{
	const struct finding *f = &s->first;

	if (!f->path[0])
		return;
	fprintf(out, ROW "%s", "file", f->path);
	if (s->to > s->from)
		fprintf(out, ", bytes %" PRIu64 " to %" PRIu64 " (block %" PRIu64 " of %u bytes)", s->from,
			s->to - 1, s->from / BLOCK_SIZE, (unsigned int)BLOCK_SIZE);
	if (f->inode)
		fprintf(out, ", inode %" PRIu64, f->inode);
	if (f->object)
		fprintf(out, "; object %u of worker %u", f->object, f->worker);
	fprintf(out, "\n");
}

/* ---- who wrote it */

static void print_op(const struct story_op *op, FILE *out)
{
	fprintf(out, "%s at %.6f s", op->text, seconds(op->start));
}

/* "worker 0, operation 4: pwrite(...) = 4096 at 1.100000 s". */
static void print_who(const struct story_writer *w, FILE *out)
{
	fprintf(out, "worker %u, operation %" PRIu64 ": ", w->worker, w->operation);
	if (w->op.known)
		print_op(&w->op, out);
	else
		fprintf(out, "not in the journal any more");
}

static void print_sync(const struct story_writer *w, const char *before, FILE *out)
{
	if (!w->op.known)
		return;
	if (w->whole.known && (!w->sync.known || w->whole.from < w->sync.start))
		fprintf(out, "; first synced by injector %s (%s) at %.6f s", w->whole.who, w->whole.how,
			seconds(w->whole.from));
	else if (w->sync.known)
		fprintf(out, "; first synced by operation %" PRIu64 " at %.6f s", w->sync.operation,
			seconds(w->sync.start));
	else
		fprintf(out, "; not synced by itself before %s", before);
}

static void print_writer(const struct story_writer *w, unsigned int barriers, FILE *out)
{
	print_who(w, out);
	print_sync(w, "the check", out);
	/* The last barrier is that of the check. */
	if (w->op.known && barriers > 1)
		fprintf(out, "; %u barrier%s with verification in between", barriers - 1,
			barriers == 2 ? "" : "s");
	fprintf(out, "\n");
}

static const struct story_writer *writer_of(const struct story *s, const struct finding_range *r)
{
	uint32_t worker = r->class == FINDING_FOREIGN ? r->origin.worker : s->first.worker;

	for (unsigned int i = 1; i < s->writers; i++) {
		if (s->writer[i].worker == worker && s->writer[i].operation == r->origin.operation)
			return &s->writer[i];
	}
	return NULL;
}

/* "stale, cloned here by worker 0, operation 12: ficlone(...) at 1.2 s;". */
static void print_clone(const struct story_op *op, FILE *out)
{
	fprintf(out, "%s, cloned here by worker %u, operation %" PRIu64 ": ",
		finding_class_name(FINDING_STALE), op->worker, op->operation);
	print_op(op, out);
}

static void print_range(const struct story *s, const struct finding_range *r, FILE *out)
{
	const struct story_op *cloned = &s->cloned[r - s->first.range];
	const struct story_writer *w = writer_of(s, r);
	uint64_t at = s->first.offset / BLOCK_SIZE * BLOCK_SIZE;
	char label[32];

	snprintf(label, sizeof(label), "%u-%u", r->start, r->start + r->length - 1U);
	fprintf(out, ROW, label);
	if (cloned->known)
		print_clone(cloned, out);
	else
		fprintf(out, "%s", finding_class_name((enum finding_class)r->class));
	if (r->class == FINDING_FLIPPED)
		fprintf(out, ", %u bit%s", r->bits, r->bits == 1 ? "" : "s");
	if (r->class == FINDING_FOREIGN)
		fprintf(out, ", written for object %u of worker %u at its byte %" PRIu64, r->object,
			r->origin.worker, r->offset);
	if (r->class == FINDING_SHIFTED)
		fprintf(out, ", written for byte %" PRIu64 " and found at %" PRIu64 ",", r->offset,
			at + r->start);
	if (w) {
		fprintf(out, r->class == FINDING_STALE ? ", written by " : " by ");
		print_writer(w, 0, out);
	} else {
		fprintf(out, "\n");
	}
}

static void print_content(const struct story *s, FILE *out)
{
	const struct finding *f = &s->first;

	if (f->operation && !s->values) {
		fprintf(out, ROW, "should be");
		print_writer(&s->writer[0], s->barriers, out);
	}
	if (f->class == FINDING_TORN)
		fprintf(out, ROW "the line runs at byte %u of block %" PRIu64 "\n", "torn", f->tear,
			f->offset / BLOCK_SIZE);
	for (unsigned int i = 0; i < f->ranges && i < FINDING_RANGES; i++) {
		if (f->range[i].class < FINDING_CLASSES)
			print_range(s, &f->range[i], out);
	}
	finding_print_bytes(f, 1, out);
}

/* ---- attributes */

static const char *words_of_value(const struct story_value *v)
{
	switch ((enum finding_value)v->seen.value) {
	case VALUE_OLDER:
		return v->seen.absent ? "as it was before: not there since" : "an older value: set by";
	case VALUE_LATER:
		return v->seen.absent ? "as it was later: removed by" : "a later value: set by";
	case VALUE_PART:
		return "a part of what was set by";
	case VALUE_NEVER:
		return "never ours: no operation on it gave it this value";
	case VALUE_FOREIGN:
	case VALUE_UNKNOWN:
	case VALUES:
		break;
	}
	return "";
}

/* Of another object, or of another attribute. */
static void print_foreign(const struct story *s, const struct story_value *v, FILE *out)
{
	const struct story_writer *w = &v->set;

	if (v->seen.which == ATTRIBUTE_XATTR)
		fprintf(out, "the value of user.recow.%u of ", v->seen.origin_number);
	else
		fprintf(out, "the target of ");
	if (w->worker == s->first.worker && w->object == s->first.object)
		fprintf(out, "the same object");
	else
		fprintf(out, "object %u of worker %u", w->object, w->worker);
	fprintf(out, ": set by ");
	print_who(w, out);
}

static void print_found(const struct story *s, const struct story_value *v, FILE *out)
{
	fprintf(out, ROW "%s", "found", words_of_value(v));
	switch ((enum finding_value)v->seen.value) {
	case VALUE_OLDER:
		fprintf(out, " ");
		print_who(&v->set, out);
		print_sync(&v->set, "it was replaced", out);
		break;
	case VALUE_LATER:
	case VALUE_PART:
		fprintf(out, " ");
		print_who(&v->set, out);
		break;
	case VALUE_FOREIGN:
		print_foreign(s, v, out);
		break;
	case VALUE_UNKNOWN:
		fprintf(out, "can't be told whose value it is: %s", v->why);
		break;
	case VALUE_NEVER:
	case VALUES:
		break;
	}
	if (v->replaced.known) {
		fprintf(out, "; replaced by operation %" PRIu64 ": ", v->replaced.operation);
		print_op(&v->replaced, out);
	}
	fprintf(out, "\n");
}

/* What is wrong with the first of them was said. */
static void print_values(const struct story *s, FILE *out)
{
	for (unsigned int i = 0; i < s->values; i++) {
		const struct story_value *v = &s->value[i];

		if (strcmp(v->detail, s->first.detail) != 0)
			fprintf(out, ROW "%s\n", "what", v->detail);
		if (v->should.operation) {
			fprintf(out, ROW "set by ", "should be");
			print_who(&v->should, out);
			print_sync(&v->should, "the check", out);
			fprintf(out, "\n");
		}
		print_found(s, v, out);
	}
}

/* ---- who saw it, and where it is wrong */

static void print_seen(const struct story *s, FILE *out)
{
	for (unsigned int i = 0; i < s->members && i < STORY_MEMBERS; i++) {
		const struct story_member *m = &s->member[i];
		const char *place = finding_place_words((enum finding_place)m->place);

		fprintf(out, i ? "; " : "  seen      ");
		fprintf(out, "by %s", m->verifier);
		if (!i && place[0])
			fprintf(out, " %s", place);
		fprintf(out, " in round %u at %.3f s", m->round, seconds(m->time));
	}
	fprintf(out, "%s\n", s->members > STORY_MEMBERS ? "; and again" : "");
}

static void print_looks(const struct finding *f, FILE *out)
{
	if (f->fault == FAULT_UNKNOWN)
		return;
	fprintf(out, ROW "%s; ", "where", fault_words((enum finding_fault)f->fault));
	for (unsigned int i = 0; i < f->looks && i < FINDING_LOOKS; i++) {
		const struct finding_look *l = &f->look[i];

		fprintf(out, "%s%s", i ? ", then " : "looked at in this order: ",
			look_where_name((enum look_where)l->where));
		if (l->where == LOOK_DEVICE)
			fprintf(out, " mirror %u", l->mirror + 1U);
		fprintf(out, " %s", look_sight_name((enum look_sight)l->sight));
	}
	fprintf(out, "; %s\n", f->still ? "still wrong" : "not wrong any more");
}

static void print_address(const struct finding *f, FILE *out)
{
	if (f->not_on_disk[0])
		fprintf(out, ROW "on disk it is %s\n", "address", f->not_on_disk);
	if (!f->logical && !f->mirrors)
		return;
	fprintf(out, ROW "logical %" PRIu64, "address", f->logical);
	for (unsigned int i = 0; i < f->mirrors && i < FINDING_MIRRORS; i++)
		fprintf(out, "; mirror %u on device %" PRIu64 " at byte %" PRIu64, i + 1, f->mirror[i].devid,
			f->mirror[i].physical);
	fprintf(out, "\n");
}

static void print_page(const struct finding *f, FILE *out)
{
	char flags[256];

	if (f->page.known)
		fprintf(out, ROW "cached in frame 0x%" PRIx64 ", memory block %" PRIu64 " (%s)\n", "page",
			f->page.pfn, f->page.block, page_flags_show(flags, sizeof(flags), f->page.flags));
}

/* ---- the timeline */

static void print_event(const struct story_event *e, FILE *out)
{
	fprintf(out, "  %12.6f  ", seconds(e->from));
	if (e->to > e->from)
		fprintf(out, "to %.6f: ", seconds(e->to));
	fprintf(out, "%s\n", e->text);
}

static void print_past_op(const struct story_op *op, FILE *out)
{
	fprintf(out, "  %12.6f  w%04u op %" PRIu64 ": %s <%u.%06u>\n", seconds(op->start), op->worker,
		op->operation, op->text, op->took / 1000000, op->took % 1000000);
}

/* Where the three lists of a story have been printed to. */
struct progress {
	unsigned int event, line, op, ops;
};

static const struct story_op *next_op(const struct story *s, const struct progress *p)
{
	return p->op < p->ops ? &s->past[(s->past_count - p->ops + p->op) % STORY_PAST] : NULL;
}

static const struct story_event *next_event(const struct story *s, const struct progress *p)
{
	return p->event < s->events ? &s->event[p->event] : NULL;
}

static const struct story_event *next_line(const struct story *s, const struct progress *p)
{
	return p->line < s->lines ? &s->line[p->line] : NULL;
}

/* What comes first of operations, events and kernel log lines; false at the end of all. */
static bool print_next(const struct story *s, struct progress *p, FILE *out)
{
	const struct story_op *op = next_op(s, p);
	const struct story_event *event = next_event(s, p), *line = next_line(s, p);

	if (event && (!op || event->from <= op->start) && (!line || event->from <= line->from)) {
		print_event(event, out);
		p->event++;
	} else if (line && (!op || line->from <= op->start)) {
		print_event(line, out);
		p->line++;
	} else if (op) {
		print_past_op(op, out);
		p->op++;
	}
	return op || event || line;
}

static void print_timeline(const struct story *s, FILE *out)
{
	struct progress p = {.ops = (unsigned int)MIN(s->past_count, (uint64_t)STORY_PAST)};

	while (print_next(s, &p, out))
		;
	fprintf(out, "  %12.6f  found by %s\n", seconds(s->first.time), s->first.verifier);
}

static void print_past(const struct story *s, FILE *out)
{
	if (!s->past_count && !s->events && !s->lines)
		return;
	fprintf(out, ROW, "history");
	if (s->past_count)
		fprintf(out, "the last %" PRIu64 " of %" PRIu64 " operations on it, ",
			MIN(s->past_count, (uint64_t)STORY_PAST), s->past_count);
	fprintf(out, "what was done to the machine until the check");
	if (s->events_left_out)
		fprintf(out, " (%" PRIu64 " stretches left out)", s->events_left_out);
	if (s->lines_left_out)
		fprintf(out, " (%" PRIu64 " kernel log lines left out)", s->lines_left_out);
	if (s->commits >= 0)
		fprintf(out, "; %ld transactions committed meanwhile", s->commits);
	fprintf(out, "\n");
	print_timeline(s, out);
}

static void print_files(const struct stories *all, const struct story *s, FILE *out)
{
	if (s->first.dumps && !all->no_dumps)
		fprintf(out,
			ROW "findings/%04u.expected (XXH3 %016" PRIx64 "), findings/%04u.found (%016" PRIx64
			    ")\n",
			"dumps", s->number, s->first.expected_hash, s->number, s->first.found_hash);
}

void story_print(const struct stories *all, const struct story *s, FILE *out)
{
	print_head(s, out);
	print_what(&s->first, out);
	print_file(s, out);
	print_content(s, out);
	print_values(s, out);
	print_seen(s, out);
	print_looks(&s->first, out);
	print_address(&s->first, out);
	print_page(&s->first, out);
	print_past(s, out);
	print_files(all, s, out);
	fprintf(out, ROW "%s\n", "again", all->again);
	if (all->replay[0])
		fprintf(out, ROW "%s\n", "replay", all->replay);
}
