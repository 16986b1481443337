/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A story as programs read it (docs/formats.md, "Stories"). */
#include "src/base/json.h"
#include "src/finding/attribute.h"
#include "src/finding/store.h"
#include "src/report/story.h"

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *op_json(const struct story_op *op)
{
	if (!op->known)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "worker", integer(op->worker), "operation",
			 integer(op->operation), "start_ns", integer(op->start), "took_us", integer(op->took),
			 "text", json_text(op->text));
}

static json_t *whole_sync_json(const struct story_whole_sync *sync)
{
	if (!sync->known)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "who", sync->who, "how", sync->how, "from_ns",
			 integer(sync->from));
}

static json_t *writer_json(const struct story_writer *w)
{
	if (!w->operation)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "worker", integer(w->worker), "object",
			 integer(w->object), "operation", integer(w->operation), "record", op_json(&w->op),
			 "synced", op_json(&w->sync), "synced_by", whole_sync_json(&w->whole));
}

static json_t *writers_json(const struct story *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->writers; i++) {
		json_t *one = writer_json(&s->writer[i]);

		if (json_is_object(one)) {
			json_object_set_new(one, "expected", json_boolean(i == 0));
			json_array_append_new(list, one);
		} else {
			json_decref(one);
		}
	}
	return list;
}

static json_t *clones_json(const struct story *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->first.ranges && i < FINDING_RANGES; i++) {
		if (s->cloned[i].known)
			json_array_append_new(list, json_pack("{s:i, s:o}", "range", (int)i, "record",
							      op_json(&s->cloned[i])));
	}
	return list;
}

static json_t *values_json(const struct story *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->values; i++) {
		const struct story_value *v = &s->value[i];
		json_t *one =
			json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s?}", "attribute",
				  attribute_name((enum finding_attribute)v->seen.which), "value",
				  value_name((enum finding_value)v->seen.value), "detail",
				  json_text(v->detail), "should", writer_json(&v->should), "set",
				  writer_json(&v->set), "replaced", op_json(&v->replaced), "why", v->why);

		if (v->seen.which == ATTRIBUTE_XATTR)
			json_object_set_new(one, "number", json_integer(v->seen.number));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *members_json(const struct story *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->members && i < STORY_MEMBERS; i++) {
		const struct story_member *m = &s->member[i];

		json_array_append_new(
			list,
			json_pack("{s:o, s:s, s:s, s:s, s:o, s:o}", "number", integer(m->number), "class",
				  finding_class_name((enum finding_class)m->class), "place",
				  finding_place_name((enum finding_place)m->place), "verifier", m->verifier,
				  "round", integer(m->round), "time_ns", integer(m->time)));
	}
	return list;
}

static json_t *past_json(const struct story *s)
{
	uint64_t kept = MIN(s->past_count, (uint64_t)STORY_PAST);
	json_t *list = json_array();

	for (uint64_t i = s->past_count - kept; i < s->past_count; i++)
		json_array_append_new(list, op_json(&s->past[i % STORY_PAST]));
	return list;
}

static json_t *events_json(const struct story_event *event, unsigned int count)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:o, s:o, s:o}", "from_ns", integer(event[i].from), "to_ns",
						integer(event[i].to), "text", json_text(event[i].text)));
	return list;
}

json_t *story_json(const struct stories *all, const struct story *s)
{
	return json_pack(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"finding", finding_json(s->number, &s->first), "class", finding_class_name(story_class(s)),
		"cloned", clones_json(s), "findings", integer(s->members), "members", members_json(s),
		"writers", writers_json(s), "values", values_json(s), "operations", integer(s->past_count),
		"history", past_json(s), "events", events_json(s->event, s->events), "kernel",
		events_json(s->line, s->lines), "events_left_out", integer(s->events_left_out),
		"lines_left_out", integer(s->lines_left_out), "commits",
		s->commits < 0 ? json_null() : json_integer(s->commits), "barriers", integer(s->barriers),
		"again", json_text(all->again), "replay",
		all->replay[0] ? json_text(all->replay) : json_null());
}
