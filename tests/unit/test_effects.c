/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the journal says of attributes, against the models: operations of every workload are done in a
 * directory, journaled, and followed. What was followed must be what the model has, object by object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/ops/table.h"
#include "src/report/effects.h"
#include "tests/unit/real_world.h"

#define OPERATIONS 6000U

/* What the effects make of one object. */
struct followed {
	bool there;
	uint32_t lost;
	uint64_t size;
	uint32_t mode, uid, gid, links, xattrs; /* bits of those that it has */
	int64_t min, max;
};

static struct followed followed[100000];
static uint32_t highest;

static void take_values(struct followed *f, const struct effect *x)
{
	if (x->sets & EFFECT(ATTRIBUTE_SIZE))
		f->size = x->size;
	if (x->sets & EFFECT(ATTRIBUTE_MODE))
		f->mode = x->mode;
	if (x->sets & EFFECT(ATTRIBUTE_OWNER))
		f->uid = x->uid;
	if (x->sets & EFFECT(ATTRIBUTE_GROUP))
		f->gid = x->gid;
	if (x->sets & EFFECT(ATTRIBUTE_LINKS))
		f->links = x->links;
	if (x->sets & EFFECT(ATTRIBUTE_XATTR) && x->removed)
		f->xattrs &= ~(1U << x->number);
	else if (x->sets & EFFECT(ATTRIBUTE_XATTR))
		f->xattrs |= 1U << x->number;
	f->lost = (f->lost & ~x->sets) | x->lost;
}

static void take_times(struct followed *f, const struct effect *x)
{
	if (x->sets & EFFECT(ATTRIBUTE_MTIME)) {
		f->min = x->mtime_min;
		f->max = x->mtime_max;
	}
	if (x->maybe & EFFECT(ATTRIBUTE_MTIME)) {
		f->min = MIN(f->min, x->mtime_min);
		f->max = MAX(f->max, x->mtime_max);
	}
}

static void follow(struct effects *e, const struct journal_record *r)
{
	struct effect x[EFFECTS_MAX];
	unsigned int count = effects_of(e, r, x);

	for (unsigned int i = 0; i < count; i++) {
		struct followed *f = &followed[x[i].object];

		assert_true(x[i].object < ARRAY_SIZE(followed));
		highest = MAX(highest, x[i].object);
		if (x[i].made)
			*f = (struct followed){.there = true, .min = INT64_MAX, .max = INT64_MIN};
		take_values(f, &x[i]);
		take_times(f, &x[i]);
	}
}

/* As the engine does it, a record for each part of a batch. */
static void step(struct world *w, struct effects *e, uint64_t n)
{
	struct op_answer answer = {0};
	struct op_args args;
	const struct op *op = world_draw(w, n, &args);
	struct journal_record r = {.operation = n, .kind = op->id, .args = args};
	const uint64_t begin = clock_ns(CLOCK_REALTIME);

	op->call(&w->ctx, &args, &answer);
	r.start = begin - e->start;
	r.took = (uint32_t)((clock_ns(CLOCK_REALTIME) - begin) / NSEC_PER_USEC);
	op->learn(&w->ctx, &args, &answer);
	r.answer = (int32_t)MIN(answer.ret, (int64_t)INT32_MAX);
	if (!answer.parts)
		follow(e, &r);
	for (unsigned int i = 0; i < answer.parts; i++) {
		r.args.dir2 = i;
		r.answer = answer.part[i];
		follow(e, &r);
	}
}

static uint32_t xattrs_of(const struct model_view *v, const struct object *o)
{
	uint32_t bits = 0;
	struct xattr x;

	for (uint32_t at = o->first_xattr; at && view_xattr(v, at - 1, &x); at = x.next)
		bits |= 1U << x.number;
	return bits;
}

/* The model's interval reaches back by the lag of the coarse clock, and forward to each refusal that may have
 * set the time. */
static void compare_times(uint32_t id, const struct object *o, const struct followed *f)
{
	const int64_t slack = 20 * (int64_t)NSEC_PER_MSEC;

	if (o->mtime_min < f->min - slack || o->mtime_min > f->max || o->mtime_max < f->min)
		fail_msg("object %u: mtime %lld to %lld, followed to %lld to %lld", id,
			 (long long)o->mtime_min, (long long)o->mtime_max, (long long)f->min,
			 (long long)f->max);
}

static bool compare(const struct model_view *v, uint32_t id)
{
	const struct followed *f = &followed[id];
	struct object o;

	if (!view_object(v, id, &o) || o.flags & OBJECT_ANCHOR)
		return false;
	if (!f->there)
		fail_msg("object %u was never seen made", id);
	if (!(f->lost & EFFECT(ATTRIBUTE_SIZE)) && o.type != OBJECT_DIR)
		assert_int_equal(f->size, o.size);
	assert_int_equal(f->mode, o.type == OBJECT_SYMLINK ? f->mode : o.mode);
	assert_int_equal(f->uid, o.uid);
	assert_int_equal(f->gid, o.gid);
	assert_int_equal(f->xattrs, xattrs_of(v, &o));
	if (o.type != OBJECT_DIR)
		assert_int_equal(f->links, o.links);
	compare_times(id, &o, f);
	return !(f->lost & EFFECT(ATTRIBUTE_SIZE));
}

static void as_the_model_has_it(const struct workload *small)
{
	static struct world w;
	unsigned int sizes = 0;
	struct effects e;

	memset(followed, 0, sizeof(followed));
	highest = 0;
	world_open(&w, directory, small, 7);
	effects_begin(&e, clock_ns(CLOCK_REALTIME));
	for (uint64_t n = 1; n <= OPERATIONS; n++)
		step(&w, &e, n);
	for (uint32_t id = 1; id <= highest; id++)
		sizes += compare(&w.model.head, id);
	if (w.findings)
		fail_msg("%s", w.finding);
	/* Known sizes are the rule, or nothing was shown. */
	assert_true(sizes > small->shape.files / 4);
	effects_end(&e);
	world_close(&w);
}

static void every_workload_is_followed(void **state)
{
	try_every_workload("effects", as_the_model_has_it);
}

static void every_operation_is_known(void **state)
{
	for (size_t i = 0; i < op_count; i++) {
		if (!effects_know(op_table[i]->id))
			fail_msg("what does %s do to attributes? (src/report/effects.c)", op_table[i]->name);
	}
	assert_false(effects_know(127));
}

/* The head of the journal was dropped: what is not known is not made up. */
static void unknown_objects_stay_unknown(void **state)
{
	const struct journal_record append = {
		.kind = OP_APPEND, .answer = 10, .args = {.object = 9, .offset = 90, .aux = 10}};
	const struct journal_record unlink = {.kind = OP_UNLINK, .args = {.object = 9, .dir = 1}};
	const struct journal_record truncate = {.kind = OP_TRUNCATE, .args = {.object = 9, .offset = 50}};
	struct effect x[EFFECTS_MAX];
	struct effects e;

	effects_begin(&e, 1000);
	assert_int_equal(effects_of(&e, &append, x), 1);
	assert_int_equal(x[0].lost, EFFECT(ATTRIBUTE_SIZE));
	assert_int_equal(x[0].sets, EFFECT(ATTRIBUTE_MTIME));
	assert_int_equal(effects_of(&e, &unlink, x), 2);
	assert_int_equal(x[0].lost, EFFECT(ATTRIBUTE_LINKS));
	assert_int_equal(x[1].object, 1);
	assert_int_equal(effects_of(&e, &truncate, x), 1);
	assert_int_equal(x[0].size, 50);
	assert_int_equal(effects_of(&e, &append, x), 1);
	assert_int_equal(x[0].size, 100);
	assert_true(x[0].sets & EFFECT(ATTRIBUTE_SIZE));
	effects_end(&e);
}

static void clone_record(struct effects *e, uint64_t operation, uint32_t object, uint32_t source,
			 uint64_t here, uint64_t there, uint32_t length)
{
	const struct journal_record r = {
		.kind = OP_CLONE_RANGE,
		.operation = operation,
		.args = {.object = object, .dir2 = source, .offset = there << 32 | here, .aux = length},
	};
	struct effect x[EFFECTS_MAX];

	effects_of(e, &r, x);
}

static void clones_lead_to_their_source(void **state)
{
	const struct journal_record again = {.kind = OP_CREATE, .operation = 14, .args = {.object = 3}};
	struct effect x[EFFECTS_MAX];
	struct effects e;

	effects_begin(&e, 0);
	assert_false(effects_cloned(&e, 2, 0, 1, 0, 1));
	clone_record(&e, 10, 2, 1, 8192, 4096, 4096);
	assert_true(effects_cloned(&e, 2, 8192, 1, 4096, 5));
	assert_true(effects_cloned(&e, 2, 12287, 1, 8191, 5));
	assert_false(effects_cloned(&e, 2, 12288, 1, 8192, 5)); /* behind it */
	assert_false(effects_cloned(&e, 2, 8192, 1, 4097, 5));  /* from elsewhere */
	assert_false(effects_cloned(&e, 2, 8192, 4, 4096, 5));  /* of another */
	assert_false(effects_cloned(&e, 2, 8192, 1, 4096, 10)); /* written afterwards */
	/* Through another object, and within one. */
	clone_record(&e, 11, 3, 2, 0, 8192, 100);
	assert_true(effects_cloned(&e, 3, 10, 1, 4106, 5));
	clone_record(&e, 12, 3, 3, 4096, 0, 50);
	assert_true(effects_cloned(&e, 3, 4106, 1, 4106, 5));
	assert_false(effects_cloned(&e, 3, 10, 1, 4106, 5)); /* that was the one before */
	assert_int_equal(effects_of(&e, &again, x), 1);
	/* Its number is another object's now: what was cloned to the first is not in it. */
	clone_record(&e, 15, 4, 3, 0, 4096, 50);
	assert_false(effects_cloned(&e, 4, 10, 1, 4106, 5));
	effects_end(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_workload_is_followed),
		cmocka_unit_test(every_operation_is_known),
		cmocka_unit_test(unknown_objects_stay_unknown),
		cmocka_unit_test(clones_lead_to_their_source),
	};

	return cmocka_run_group_tests_name("effects", tests, NULL, NULL);
}
