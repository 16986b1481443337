/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The past of a run that was cut off: a model retold from the journal is the model; names know where they led
 * when; what was synced counts for the object that was; the tail has what the journal lacks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/durable/names.h"
#include "src/durable/retell.h"
#include "src/durable/syncs.h"
#include "src/durable/timeline.h"
#include "src/journal/tail.h"
#include "src/model/stripes.h"
#include "src/ops/table.h"
#include "tests/unit/real_world.h"

#define OPERATIONS 6000U

/* ---- a model retold */

struct retold {
	struct model model;
	struct retelling told;
	void *pool;
};

static void retold_open(struct retold *r, const struct world *w, uint64_t start)
{
	struct error e;

	r->pool = mmap(NULL, 1 * GiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		       0);
	assert_true(r->pool != MAP_FAILED);
	assert_int_equal(model_init(&r->model, page_pool_init(r->pool, 1 * GiB), 0, w->model.head.run,
				    w->model.head.anchors - 1, &e),
			 0);
	for (uint32_t k = 0; k < w->model.head.shared_files; k++)
		assert_true(model_add_shared_file(&r->model, stripes_size(k)));
	assert_int_equal(retell_begin(&r->told, &r->model, 0, start, &e), 0);
}

static void retold_close(struct retold *r)
{
	retell_end(&r->told);
	model_destroy(&r->model);
	munmap(r->pool, 1 * GiB);
}

/* As the worker journals it. */
static void step(struct world *w, struct retold *r, uint64_t n, uint64_t start)
{
	struct journal_record part[OP_BATCH];
	struct done d = {.part = part, .count = 1};
	struct op_answer answer = {0};
	struct op_args args;
	const struct op *op = world_draw(w, n, &args);
	uint64_t begin = clock_ns(CLOCK_REALTIME);

	op->call(&w->ctx, &args, &answer);
	op->learn(&w->ctx, &args, &answer);
	part[0] = (struct journal_record){
		.operation = n,
		.start = begin - start,
		.took = (uint32_t)((clock_ns(CLOCK_REALTIME) - begin) / NSEC_PER_USEC),
		.answer = (int32_t)answer.ret,
		.kind = op->id,
		.args = args,
	};
	for (unsigned int i = 0; i < answer.parts; i++) {
		part[i] = part[0];
		part[i].args.dir2 = i;
		part[i].answer = answer.part[i];
		d.count = i + 1;
	}
	retell(&r->told, &d);
}

static void same_blocks(const struct model_view *a, const struct object *x, const struct model_view *b,
			const struct object *y, uint32_t id)
{
	assert_int_equal(x->mapped, y->mapped);
	for (uint64_t i = 0; i < x->mapped; i++) {
		struct block_entry one, other;

		assert_int_equal(view_blocks(a, x, i, 1, &one), 1);
		assert_int_equal(view_blocks(b, y, i, 1, &other), 1);
		if (one.hash != other.hash)
			fail_msg("object %u: block %llu is another one", id, (unsigned long long)i);
	}
}

/* Returns whether it is a file whose content was compared. */
static bool same_object(const struct model_view *a, const struct model_view *b, uint32_t id)
{
	struct object x, y;
	bool there = view_object(a, id, &x);

	if (there != view_object(b, id, &y))
		fail_msg("object %u is in one of both only", id);
	if (!there)
		return false;
	assert_int_equal(x.type, y.type);
	assert_int_equal(x.born, y.born);
	assert_int_equal(x.mode, y.mode);
	assert_int_equal(x.uid, y.uid);
	assert_int_equal(x.gid, y.gid);
	assert_int_equal(x.links, y.links);
	assert_int_equal(x.children, y.children);
	if (x.mtime_min < y.mtime_min || x.mtime_max > y.mtime_max)
		fail_msg("object %u: its time is not within what is retold", id);
	if (y.flags & OBJECT_UNSURE)
		return false;
	assert_int_equal(x.size, y.size);
	if (x.type == OBJECT_FILE)
		same_blocks(a, &x, b, &y, id);
	return x.type == OBJECT_FILE;
}

static void same_names(const struct model_view *a, const struct model_view *b)
{
	assert_int_equal(a->names.live, b->names.live);
	for (uint32_t i = 0; i < a->names.count; i++) {
		struct name x = {0}, y = {0};

		assert_int_equal(view_name(a, i, &x), view_name(b, i, &y));
		assert_int_equal(x.object, y.object);
		assert_int_equal(x.parent, y.parent);
		assert_int_equal(x.tag, y.tag);
	}
}

static void is_retold(const struct workload *small)
{
	const uint64_t start = clock_ns(CLOCK_REALTIME);
	static struct world w;
	static struct retold r;
	unsigned int files = 0;

	world_open(&w, directory, small, 11);
	retold_open(&r, &w, start);
	for (uint64_t n = 1; n <= OPERATIONS; n++)
		step(&w, &r, n, start);
	if (w.findings)
		fail_msg("%s", w.finding);
	assert_int_equal(w.model.head.objects.live, r.model.head.objects.live);
	for (uint32_t id = 1; id < w.model.head.objects.count; id++)
		files += same_object(&w.model.head, &r.model.head, id);
	same_names(&w.model.head, &r.model.head);
	assert_int_equal(w.witnesses.live, r.told.witnesses.live);
	/* Known content is the rule, or nothing was shown. */
	assert_true(files > small->shape.files / 4);
	retold_close(&r);
	world_close(&w);
}

static void every_workload_is_retold(void **state)
{
	try_every_workload("retold", is_retold);
}

/* ---- names */

static void note(struct past_names *p, uint32_t number, uint32_t object, uint64_t operation)
{
	const struct named n = {.dir = {1, 0, OBJECT_DIR}, .ref = nameref_make(number, 8, 3)};

	names_note(p, &n, false, (struct thing){object, 5, OBJECT_FILE}, operation);
}

static void names_know_where_they_led(void **state)
{
	const struct thing dir = {1, 0, OBJECT_DIR}, other = {1, 7, OBJECT_DIR};
	const struct past_name *n;
	struct past_names p;
	unsigned int count = 0;
	char bytes[256];
	size_t len = content_name(nameref_make(4, 8, 3), 2, false, bytes);

	names_begin(&p, 2);
	for (uint32_t i = 0; i < 10000; i++)
		note(&p, i, i + 10, i + 100);
	note(&p, 4, OBJECT_NONE, 20000);
	note(&p, 4, 77, 20005);
	n = names_find(&p, dir, bytes, len);
	assert_non_null(n);
	assert_null(names_at(&p, n, 103));
	assert_int_equal(names_at(&p, n, 104)->to.object, 14);
	assert_int_equal(names_at(&p, n, 19999)->to.object, 14);
	assert_int_equal(names_at(&p, n, 20000)->to.object, OBJECT_NONE);
	assert_int_equal(names_at(&p, n, UINT64_MAX)->to.object, 77);
	assert_int_equal(names_before(&p, names_at(&p, n, UINT64_MAX))->operation, 20000);
	assert_null(names_find(&p, dir, bytes, len - 1));
	assert_null(names_find(&p, other, bytes, len)); /* another directory that had the same id */
	for (n = names_next(&p, dir, NULL); n; n = names_next(&p, dir, n))
		count++;
	assert_int_equal(count, 10000);
	assert_null(names_next(&p, other, NULL));
	assert_false(p.failed);
	names_end(&p);
}

/* ---- syncs */

static void take(struct syncs *s, uint16_t kind, uint64_t operation, uint32_t object, int32_t answer,
		 bool pending)
{
	const struct journal_record r = {.operation = operation,
					 .kind = kind,
					 .answer = answer,
					 .start = operation * 1000,
					 .args = {.object = object, .aux = 1}};
	const struct done d = {.part = &r, .count = 1, .pending = pending};

	syncs_take(s, &d);
}

static void what_was_synced_counts(void **state)
{
	struct syncs s = {0};

	take(&s, OP_FSYNC, 10, 3, 0, false);
	take(&s, OP_FDATASYNC, 20, 3, 0, false);
	take(&s, OP_FSYNC, 30, 3, -5, false); /* failed */
	take(&s, OP_FSYNC, 40, 3, 0, true);   /* never came back */
	assert_int_equal(syncs_of(&s, 3, 5).all, 10);
	assert_int_equal(syncs_of(&s, 3, 5).data, 20);
	assert_int_equal(syncs_of(&s, 3, 15).all, 0); /* that was another one */
	assert_int_equal(syncs_of(&s, 3, 15).data, 20);
	assert_int_equal(syncs_of(&s, 3, 25).data, 0);
	assert_int_equal(syncs_of(&s, 100000, 0).data, 0);
	assert_int_equal(s.whole, 0);
	take(&s, OP_SNAPSHOT, 50, 1, 0, false);
	assert_int_equal(s.snapshot, 50);
	assert_int_equal(s.whole, 50000); /* behind a syncfs that began then */
	take(&s, OP_SNAPSHOT, 60, 1, -28, false);
	assert_int_equal(s.snapshot, 50);
	syncs_end(&s);
}

/* Only what was over before the target was made to fail. `take` has them last from n us on, for one. */
static void what_a_failing_target_syncs_counts_for_nothing(void **state)
{
	struct syncs s = {.until = 32 * NSEC_PER_USEC};

	take(&s, OP_FSYNC, 10, 3, 0, false);
	take(&s, OP_FSYNC, 30, 4, 0, false);
	take(&s, OP_FSYNC, 31, 5, 0, false); /* perhaps 32 us after the start */
	take(&s, OP_FSYNC, 40, 3, 0, false);
	take(&s, OP_SNAPSHOT, 50, 1, 0, false);
	assert_int_equal(syncs_of(&s, 3, 5).all, 10);
	assert_int_equal(syncs_of(&s, 4, 5).all, 30);
	assert_int_equal(syncs_of(&s, 5, 5).all, 0);
	assert_int_equal(s.snapshot + s.whole, 0);
	syncs_end(&s);
}

static struct told_times times_of(const char *lines)
{
	char run[] = "/tmp/recow-timeline-XXXXXX", path[64];
	struct told_times t;
	FILE *file;

	assert_non_null(mkdtemp(run));
	snprintf(path, sizeof(path), "%s/timeline.jsonl", run);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(lines, file);
	assert_int_equal(fclose(file), 0);
	t = timeline_times(run);
	unlink(path);
	rmdir(run);
	return t;
}

#define SYNC(from, to) "{\"t\":9,\"event\":\"sync\",\"from\":" from ",\"to\":" to "}\n"
#define FREEZE(t, took, fr)                                                                                  \
	"{\"t\":" t ",\"event\":\"freeze\",\"took\":" took ",\"frozen\":" fr ",\"errno\":0}\n"
#define FAULT       "{\"t\":5,\"event\":\"fault\",\"ns\":5000000000,\"errno\":0}\n"
#define FAILED(err) "{\"t\":5,\"event\":\"failed\",\"ns\":5500000000,\"errno\":" err "}\n"

static void the_timeline_knows_when_all_was_synced(void **state)
{
	const uint64_t ms = NSEC_PER_MSEC;
	struct told_times t =
		times_of(SYNC("1.0", "1.5") SYNC("4.0", "9.0") "{\"t\":9,\"event\":\"sync\",\"from\":8.0}\n");

	assert_int_equal(t.whole, 7999 * ms);
	assert_int_equal(t.failing + t.failed, 0);
	/* One that was over before, told late; one that was over when it was failing already. */
	t = times_of(SYNC("1.0", "1.5") FAULT SYNC("2.0", "4.9") SYNC("3.0", "5.1") FAILED("0"));
	assert_int_equal(t.whole, 1999 * ms);
	assert_int_equal(t.failing, 5000 * ms);
	assert_int_equal(t.failed, 5500 * ms);
	/* Frozen from 3.5 on until 5.5: begun at 3.0; and one that froze too late. */
	t = times_of(FAULT FREEZE("5.5", "0.5", "2.0") FREEZE("6.5", "2.0", "0.5") FAILED("22"));
	assert_int_equal(t.whole, 2999 * ms);
	assert_int_equal(t.failed, 0);
	t = times_of("");
	assert_int_equal(t.whole + t.failing + t.failed, 0);
}

/* ---- the tail */

static struct journal_record numbered(uint64_t n)
{
	return (struct journal_record){.operation = n, .kind = OP_WRITE, .start = n};
}

static struct journal_record checked(uint64_t n)
{
	struct journal_record r = numbered(n);

	r.check = journal_record_check(&r);
	return r;
}

static void tail_has_what_the_journal_lacks(void **state)
{
	const uint64_t more = RING_RECORDS + 100;
	char run[] = "/tmp/recow-tail-XXXXXX", path[64];
	_Atomic bool stop = false;
	struct journal_ring *ring;
	struct journal_record last, pending;
	struct tail tail;

	assert_non_null(mkdtemp(run));
	snprintf(path, sizeof(path), "%s/journal", run);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(tail_read(run, 9, 0, NULL, &tail), -1); /* there is none */
	snprintf(path, sizeof(path), "%s/%s", run, TAIL_NAME);
	ring = tail_make(path, 2, 9, false);
	assert_non_null(ring);
	assert_int_equal(tail_read(run, 9, 1, NULL, &tail), 0);
	assert_int_equal(tail.count + tail.pending.operation, 0);
	tail_free(&tail);
	for (uint64_t n = 1; n <= more; n++) {
		struct journal_record r = numbered(n);

		if (n > RING_RECORDS)
			ring_drop(&ring[1], 1); /* in the journal */
		ring_announce(&ring[1], &r);
		assert_true(ring_put(&ring[1], &r, &stop));
	}
	last = checked(more - 3);
	assert_int_equal(tail_read(run, 9, 1, &last, &tail), 0);
	assert_int_equal(tail.count, 3);
	assert_int_equal(tail.record[0].operation, more - 2);
	assert_int_equal(tail.pending.operation, 0); /* it came back */
	tail_free(&tail);
	pending = numbered(more + 1);
	ring_announce(&ring[1], &pending);
	last = checked(more);
	assert_int_equal(tail_read(run, 9, 1, &last, &tail), 0);
	assert_int_equal(tail.count, 0);
	assert_int_equal(tail.pending.operation, more + 1);
	tail_free(&tail);
	ring[1].pending.args.aux ^= 1; /* cut short by a death */
	assert_int_equal(tail_read(run, 9, 1, &last, &tail), 0);
	assert_int_equal(tail.pending.operation, 0);
	tail_free(&tail);
	last = checked(20); /* too old: what lies between is lost */
	assert_int_equal(tail_read(run, 9, 1, &last, &tail), -1);
	assert_int_equal(tail_read(run, 9, 1, NULL, &tail), -1);
	assert_int_equal(tail_read(run, 8, 1, NULL, &tail), -1); /* of another run */
	assert_int_equal(tail_read(run, 9, 2, NULL, &tail), -1);
	tail_unmap(ring, 2);
	unlink(path);
	snprintf(path, sizeof(path), "%s/journal", run);
	rmdir(path);
	rmdir(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_workload_is_retold),
		cmocka_unit_test(names_know_where_they_led),
		cmocka_unit_test(what_was_synced_counts),
		cmocka_unit_test(what_a_failing_target_syncs_counts_for_nothing),
		cmocka_unit_test(the_timeline_knows_when_all_was_synced),
		cmocka_unit_test(tail_has_what_the_journal_lacks),
	};

	return cmocka_run_group_tests_name("durable", tests, NULL, NULL);
}
