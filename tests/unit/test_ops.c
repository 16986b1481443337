/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/ops/address.h"
#include "src/ops/choose.h"
#include "src/ops/held.h"
#include "src/ops/judge.h"
#include "src/ops/table.h"
#include "src/plugins.h"
#include "tests/unit/ops_world.h"
#include "tests/unit/unit.h"

extern const struct workload workload_churn, workload_logtree;

/* ---- the table */

static void table_is_sane(void **state)
{
	for (size_t i = 0; i < op_count; i++) {
		const struct op *op = op_table[i];

		assert_non_null(op->draw);
		assert_non_null(op->fits);
		assert_non_null(op->call);
		assert_non_null(op->learn);
		assert_non_null(op->show);
		assert_non_null(op->summary);
		assert_non_null(op->errors);
		assert_in_range(op->id, 1, 127);
		assert_ptr_equal(op_by_name(op->name), op);
		assert_ptr_equal(op_by_id(op->id), op);
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(op->id, op_table[k]->id);
			assert_string_not_equal(op->name, op_table[k]->name);
		}
	}
	assert_int_equal(op_count, 47);
	assert_null(op_by_name("no such operation"));
	assert_null(op_by_id(0));
}

static void workloads_name_operations(void **state)
{
	for (const struct workload *const *w = plugin_workloads; *w; w++) {
		for (const struct weight *m = (*w)->mix; m->op; m++) {
			assert_non_null(op_by_name(m->op));
			assert_int_not_equal(m->weight, 0);
		}
		assert_true((*w)->shape.size[0] <= (*w)->shape.size[1]);
		assert_true((*w)->shape.write[1] <= OP_BUFFER);
		assert_true((*w)->shape.depth <= DEPTH_MAX);
	}
}

static void defaults_are_those_of_churn(void **state)
{
	const struct shape *s = &workload_churn.shape;
	const uint64_t expected[] = {s->files,   s->dirs,     s->depth,   s->size[0],
				     s->size[1], s->write[0], s->write[1]};
	struct params p;
	struct error e;

	assert_int_equal(workload_param_count, ARRAY_SIZE(expected));
	assert_int_equal(params_init(&p, workload_params, workload_param_count, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(p.value[i], expected[i]);
}

/* ---- drawing, on a directory of /tmp */

static struct world world;
static char directory[64];

static int open_world(void **state)
{
	static struct workload w;

	w = workload_churn;
	w.shape.files = 150;
	w.shape.dirs = 20;
	w.shape.size[1] = 128 * KiB;
	w.shape.depth = DEPTH_MAX;
	snprintf(directory, sizeof(directory), "/tmp/recow-ops-XXXXXX");
	if (geteuid() != 0 || !mkdtemp(directory))
		return -1;
	world_open(&world, directory, &w, 42);
	world.ctx.bytes_limit = 2 * MiB;
	return 0;
}

static int close_world(void **state)
{
	world_close(&world);
	world_sweep(directory);
	return rmdir(directory);
}

static void check_name(uint32_t dir, struct nameref ref, bool may_exist)
{
	struct object o;
	struct name n;

	assert_true(view_object(&world.model.head, dir, &o));
	assert_int_equal(o.type, OBJECT_DIR);
	if (view_name(&world.model.head, ref.number, &n))
		assert_true(may_exist);
	else
		assert_int_equal(ref.number, model_next_name(&world.model));
	assert_in_range(ref.tag >> 24, 1, 255);
}

/* What is cloned lies in a file of this worker, and the copy stays within the wanted size. */
static void check_source(const struct op *op, const struct op_args *args, const struct object *to)
{
	const uint64_t here = args->offset & UINT32_MAX, there = args->offset >> 32;
	struct object from;

	assert_true(view_object(&world.model.head, args->dir2, &from));
	assert_int_equal(from.type, OBJECT_FILE);
	assert_true(there + args->aux <= from.size);
	assert_true(here + (op->id == OP_CLONE ? from.size : args->aux) <=
		    choose_size(&world.ctx, args->object, to));
	if (args->object == args->dir2)
		assert_true(here + args->aux <= there || there + args->aux <= here);
	if (op->id == OP_CLONE)
		assert_int_not_equal(args->object, args->dir2);
}

/* Whatever was drawn lies in the model, and its paths fit. */
static void check_args(const struct op *op, const struct op_args *args)
{
	const struct model_view *v = &world.model.head;
	const bool two = op == &op_rename || op == &op_rename_over || op == &op_link || op == &op_exchange ||
			 op == &op_noreplace || op == &op_whiteout || op == &op_linkat;
	struct object o;

	if (args->dir == OBJECT_HELD) {
		assert_true(op == &op_tmpfile || held_fd(&world.ctx, args->object) >= 0);
	} else if (args->dir == OBJECT_NONE) {
		assert_true(view_object(v, args->object, &o));
		assert_true(o.flags & OBJECT_ANCHOR);
	} else {
		check_name(args->dir, args->name, true);
	}
	if (two)
		check_name(args->dir2, args->name2, true);
	if (op != &op_tmpfile)
		assert_true(strlen(address_path(&world.ctx, 0, args->dir, args->name, args->object)) > 0);
	if (op->group == GROUP_DATA) {
		assert_true(view_object(v, args->object, &o));
		assert_int_equal(o.type, OBJECT_FILE);
		if (op->id == OP_WRITE || op->id == OP_APPEND || op->id == OP_READ)
			assert_true(args->aux <= OP_BUFFER);
		if (op->id == OP_CLONE || op->id == OP_CLONE_RANGE || op->id == OP_COPY_RANGE)
			check_source(op, args, &o);
	}
}

static void check_paths(void)
{
	const struct model_view *v = &world.model.head;
	struct name n;
	char path[4096];

	for (uint32_t i = 0; i < v->names.count; i++) {
		if (view_name(v, i, &n))
			assert_true(view_path(v, i, path, sizeof(path)) > 0);
	}
}

static void draws_are_deterministic_and_in_the_model(void **state)
{
	for (uint64_t n = 1; n <= 10000; n++) {
		const uint64_t sum = world.model.head.operations, bytes = world.model.head.bytes;
		struct op_args first, second;
		const struct op *op = world_draw(&world, n, &first);

		assert_ptr_equal(world_draw(&world, n, &second), op);
		assert_memory_equal(&first, &second, sizeof(first));
		assert_int_equal(world.model.head.operations, sum);
		check_args(op, &first);
		assert_true(op->fits(&world.ctx, &first));
		world_step(&world, n);
		if (world.model.head.bytes > bytes)
			assert_true(world.model.head.bytes <= world.ctx.bytes_limit);
		if (n % 500 == 0)
			check_paths();
	}
	if (world.findings)
		print_message("%s\n", world.finding);
	assert_int_equal(world.findings, 0);
}

/* ---- answers that cannot be right */

/* Files without a name are few: a full table takes in no more. */
static void let_one_go(uint64_t n)
{
	struct stream s = stream_make(7, n, 0);
	struct op_answer answer = {0};
	struct op_args args = {0};

	if (model_pick_count(&world.model, PICK_HELD) < HELD_MAX)
		return;
	assert_true(op_release.draw(&world.ctx, &s, &args));
	op_release.call(&world.ctx, &args, &answer);
	op_release.learn(&world.ctx, &args, &answer);
}

static const struct op *draw_of(const char *name, uint64_t n, struct op_args *args)
{
	const struct op *op = op_by_name(name);

	let_one_go(n);
	for (uint64_t i = 0; i < 1000; i++) {
		struct stream s = stream_make(7, n, i);
		struct name existing;

		memset(args, 0, sizeof(*args));
		world.ctx.operation = n;
		if (!op->draw(&world.ctx, &s, args))
			continue;
		/* no refusals here */
		if ((op == op_by_name("create")) !=
		    address_lookup(&world.model.head, args->dir, args->name, &existing))
			return op;
	}
	fail_msg("%s can't be drawn", name);
	return NULL;
}

static struct finding last;

static void keep_last(void *self, const struct finding *f)
{
	world.findings++;
	last = *f;
}

/* Let an operation have this answer; what becomes of it? -1: no finding. */
static int class_of(const char *name, int64_t ret)
{
	const struct op_answer answer = {.ret = ret, .time_min = 1, .time_max = 2};
	const unsigned int before = world.findings;
	struct op_args args;
	const struct op *op = draw_of(name, 20000, &args);

	op->learn(&world.ctx, &args, &answer);
	return world.findings == before ? -1 : (int)last.class;
}

static void wrong_answers_are_findings(void **state)
{
	world.sink.emit = keep_last;
	assert_int_equal(class_of("chmod", -ENOENT), FINDING_MISSING);
	assert_non_null(strstr(last.detail, "chmod("));
	assert_non_null(strstr(last.detail, "ENOENT"));
	assert_non_null(strstr(last.detail, "made by operation"));
	assert_int_equal(class_of("create", -EEXIST), FINDING_EXTRA);
	assert_int_equal(class_of("chown", -EIO), FINDING_EIO);
	assert_int_equal(class_of("utimensat", -EROFS), FINDING_EROFS);
	assert_int_equal(class_of("chmod", -ENOTEMPTY), FINDING_ANSWER);
	assert_int_equal(class_of("link", -ENAMETOOLONG), FINDING_ANSWER);
	assert_int_equal(class_of("fsync", -EIO), FINDING_EIO);
	assert_int_equal(class_of("exchange", -ENOENT), FINDING_MISSING);
	assert_int_equal(class_of("noreplace", -ENOENT), FINDING_MISSING);
	assert_int_equal(class_of("orphan", -ENOENT), FINDING_MISSING);
	assert_int_equal(class_of("exchange", -EINVAL), FINDING_ANSWER); /* where it is drawn it is known */
	assert_int_equal(class_of("noreplace", -EINVAL), FINDING_ANSWER);
	assert_int_equal(class_of("whiteout", -EINVAL), FINDING_ANSWER);
	assert_int_equal(class_of("whiteout", -EPERM), FINDING_ANSWER);
	assert_int_equal(class_of("unlink", -ENOSPC), -1);
	assert_int_equal(class_of("create", -ENOSPC), -1);
	assert_int_equal(class_of("chmod", -EDQUOT), -1);
}

static bool drawn(const char *name, uint64_t n, struct op_args *args)
{
	struct stream s = stream_make(7, n, 0);

	memset(args, 0, sizeof(*args));
	world.ctx.operation = n;
	return op_by_name(name)->draw(&world.ctx, &s, args);
}

/* As long as there is room, and some operations apart. The oldest goes first; until it is gone it stays. */
static void witnesses_are_kept_until_they_are_deleted(void **state)
{
	const struct op *take = op_by_name("snapshot"), *drop = op_by_name("snapshot_delete");
	const struct op_answer good = {0}, full = {.ret = -ENOSPC}, gone = {.ret = -ENOENT};
	struct witness_list *l = &world.witnesses;
	struct op_args args;
	const uint64_t spacing = 4 * world.shape.files;
	uint64_t n = 40000;

	world.sink.emit = keep_last;
	assert_int_equal(l->live, 0);
	assert_false(drawn("snapshot_delete", n, &args));
	assert_true(drawn("snapshot", n, &args));
	take->learn(&world.ctx, &args, &full);
	assert_int_equal(l->live, 0);
	take->learn(&world.ctx, &args, &good);
	assert_int_equal(l->live, 1);
	assert_string_equal(l->witness[0]->path, "snap/w0000.1");
	assert_int_equal(l->witness[0]->operation, n);
	assert_int_equal(l->witness[0]->frozen[0]->view.bytes, world.model.head.bytes);
	assert_false(drawn("snapshot", n + spacing - 1, &args));
	assert_false(drawn("snapshot_delete", n + spacing - 1, &args));
	world.ctx.bytes_limit = 2 * world.model.head.bytes - 1;
	assert_false(drawn("snapshot", n + spacing, &args));
	world.ctx.bytes_limit = UINT64_MAX;
	while (drawn("snapshot", n += spacing, &args))
		take->learn(&world.ctx, &args, &good);
	assert_int_equal(l->live, WITNESSES_MAX);

	assert_true(drawn("snapshot_delete", n, &args));
	assert_int_equal(args.offset, 1);
	l->witness[0]->dying = true;
	drop->learn(&world.ctx, &args, &full);
	assert_false(l->witness[0]->dying);
	drop->learn(&world.ctx, &args, &gone);
	assert_int_equal(last.class, FINDING_MISSING);
	assert_int_equal(l->live, WITNESSES_MAX);
	while (drawn("snapshot_delete", n, &args))
		drop->learn(&world.ctx, &args, &good);
	assert_int_equal(l->live, 0);
	assert_true(drawn("snapshot", n + spacing, &args));
	assert_int_equal(args.offset, WITNESSES_MAX + 1);
	world.ctx.bytes_limit = 2 * MiB;
}

static uint32_t make_subvolume_in(uint32_t dir)
{
	const struct model_create c = {
		.type = OBJECT_DIR,
		.subvolume = true,
		.parent = dir,
		.name = {.number = model_next_name(&world.model), .tag = 77},
	};

	return model_create(&world.model, 1, &c);
}

/* What lies in a nested subvolume is no part of a snapshot: it can't be gone on in. */
static void a_switch_leaves_no_subvolume_behind(void **state)
{
	const uint32_t dir[] = {OBJECT_ROOT, OBJECT_FIRST_SHARED};
	const uint64_t n = 200000;
	struct op_args args;

	for (unsigned int i = 0; i < ARRAY_SIZE(dir); i++) {
		struct object o;

		assert_true(view_object(&world.model.head, make_subvolume_in(dir[i]), &o));
		assert_int_equal(drawn("snapshot_switch", n, &args), dir[i] != OBJECT_ROOT);
		assert_true(drawn("snapshot", n, &args));
		model_unlink(&world.model, 1, o.first_name);
	}
	assert_true(drawn("snapshot_switch", n, &args));
}

/* Files without a name that lie in the worker's own subvolume or, `shared`, in the shared one. */
static unsigned int count_held(bool shared)
{
	unsigned int sum = 0;
	struct object o;

	for (unsigned int i = 0; i < HELD_MAX; i++)
		sum += view_object(&world.model.head, world.ctx.held[i].object, &o) &&
		       !(o.flags & OBJECT_REALM) == !shared;
	return sum;
}

/* They are in no snapshot. */
static void a_switch_lets_files_without_a_name_go(void **state)
{
	const struct op_answer full = {.ret = -ENOSPC};
	const unsigned int own = count_held(false), shared = count_held(true);
	struct op_args args;

	assert_true(own && shared);
	assert_true(drawn("snapshot_switch", 250000, &args));
	held_close_own(&world.ctx);
	op_by_name("snapshot_switch")->learn(&world.ctx, &args, &full);
	assert_int_equal(count_held(false), 0);
	assert_int_equal(count_held(true), shared);
	assert_int_equal(model_pick_count(&world.model, PICK_HELD), shared);
}

/* Once the snapshot is there it is a witness, whatever becomes of the exchange; an odd answer is told. */
static void a_switch_that_stops_half_way_leaves_a_witness(void **state)
{
	const struct op_answer answer[] = {{0}, {.stopped = ENOSPC}, {.stopped = EXDEV}};
	const unsigned int before = world.witnesses.live;
	const struct op *op = op_by_name("snapshot_switch"), *drop = op_by_name("snapshot_delete");
	uint64_t n = 300000;
	struct op_args args;

	assert_int_equal(before, 0);
	world.ctx.bytes_limit = UINT64_MAX;
	for (unsigned int i = 0; i < ARRAY_SIZE(answer); i++) {
		last.class = -1;
		assert_true(drawn("snapshot_switch", n += 100000, &args));
		op->learn(&world.ctx, &args, &answer[i]);
		assert_int_equal(world.witnesses.live, i + 1);
		assert_int_equal(last.class, i == 2 ? FINDING_ANSWER : (enum finding_class) - 1);
	}
	while (drawn("snapshot_delete", n += 100000, &args))
		drop->learn(&world.ctx, &args, &answer[0]);
	assert_int_equal(world.witnesses.live, 0);
	world.ctx.bytes_limit = 2 * MiB;
}

static void a_failed_fsync_makes_its_object_unsure(void **state)
{
	const struct op_answer answer = {.ret = -ENOSPC, .began = true};
	struct op_args args;
	const struct op *op = draw_of("fsync", 30000, &args);
	const unsigned int before = world.findings;
	struct object o;

	op->learn(&world.ctx, &args, &answer);
	assert_int_equal(world.findings, before + 1);
	assert_true(view_object(&world.model.head, args.object, &o));
	assert_true(o.flags & OBJECT_UNSURE);
}

/* It may have been set in memory and not on disk. */
static void a_failed_utimensat_leaves_either_time(void **state)
{
	const struct op_answer answer = {.ret = -ENOSPC, .time_min = 5, .time_max = 6};
	struct object before, after;
	struct op_args args;
	const struct op *op = draw_of("utimensat", 35000, &args);

	args.offset = 1234;
	assert_true(view_object(&world.model.head, args.object, &before));
	op->learn(&world.ctx, &args, &answer);
	assert_true(view_object(&world.model.head, args.object, &after));
	assert_int_equal(after.mtime_min, MIN(before.mtime_min, 1234));
	assert_int_equal(after.mtime_max, MAX(before.mtime_max, 1234));
}

/* A write that failed and yet changed the size: a finding; the size is taken over. */
static void odd_sizes_after_failures_are_findings(void **state)
{
	struct op_answer answer = {.ret = -ENOSPC, .began = true};
	struct op_args args;
	const struct op *op = draw_of("write", 40000, &args);
	unsigned int before = world.findings;
	struct object o;

	assert_true(view_object(&world.model.head, args.object, &o));
	answer.size = o.size;
	op->learn(&world.ctx, &args, &answer);
	assert_int_equal(world.findings, before);
	answer.size = o.size + 4097;
	op->learn(&world.ctx, &args, &answer);
	assert_int_equal(world.findings, before + 1);
	assert_int_equal(last.class, FINDING_ATTRIBUTE);
	assert_true(view_object(&world.model.head, args.object, &o));
	assert_int_equal(o.size, answer.size);
	assert_true(o.flags & OBJECT_UNSURE);
}

/* Around a call from 1000 to 1004 of its clock, in ms, which is set back by `back` within: the interval holds
 * whatever the clock showed meanwhile. */
static void assert_times(int64_t back, int64_t min, int64_t max)
{
	const int64_t ms = 1000000;
	struct op_answer a = {.time_min = 1000 * ms, .mono = 50 * ms};

	answer_times(&a, (1004 - back) * ms, 54 * ms);
	assert_int_equal(a.time_min, min * ms);
	assert_int_equal(a.time_max, max * ms);
}

static void a_clock_set_back_widens_the_interval(void **state)
{
	struct op_answer a;

	assert_times(0, 1000, 1004);
	assert_times(-50, 1000, 1054);
	assert_times(3, 997 - 10, 1004 + 10);
	assert_times(500, 500 - 10, 1004 + 10);
	answer_begin(&a);
	answer_end(&a, 0);
	assert_in_range(a.time_max - a.time_min, 0, NSEC_PER_SEC);
}

static void short_writes_learn_their_prefix(void **state)
{
	struct op_answer answer = {.ret = 1, .began = true, .time_min = 5, .time_max = 6};
	struct op_args args;
	const struct op *op = draw_of("append", 50000, &args);
	struct object before, after;

	assert_true(view_object(&world.model.head, args.object, &before));
	op->learn(&world.ctx, &args, &answer);
	assert_true(view_object(&world.model.head, args.object, &after));
	assert_int_equal(after.size, before.size + 1);
	assert_int_equal(after.mtime_min, 5);
	assert_int_equal(after.mtime_max, 6);
}

static void flipped_bits_are_noticed_by_a_read(void **state)
{
	struct op_answer answer;
	struct op_args args;
	const struct op *op;
	const unsigned int before = world.findings;
	uint64_t n = 60000;
	struct object o;

	do {
		op = draw_of("read", n++, &args);
		assert_true(view_object(&world.model.head, args.object, &o));
		op->call(&world.ctx, &args, &answer);
	} while (answer.ret < 1 || (o.flags & OBJECT_UNSURE));
	op->learn(&world.ctx, &args, &answer);
	assert_int_equal(world.findings, before);
	world.ctx.buffer[answer.ret - 1] ^= 4;
	op->learn(&world.ctx, &args, &answer);
	assert_int_equal(world.findings, before + 1);
	assert_int_equal(last.class, FINDING_FLIPPED);
	assert_int_equal(last.place, SEEN_CHURN);
	assert_false(last.still); /* it isn't in the file */
	answer.ret--;
	op->learn(&world.ctx, &args, &answer);
	assert_int_equal(last.class, FINDING_ATTRIBUTE);
}

/* ---- show */

static void plain_path(const void *self, uint32_t dir, struct nameref ref, bool shared, char *buf, size_t len)
{
	snprintf(buf, len, "\"%u%s/%u\"", dir, shared ? "s" : "", ref.number);
}

static void shown(uint16_t id, const struct op_args *args, int32_t answer, const char *expected)
{
	const struct op_namer namer = {.path = plain_path};
	const struct journal_record r = {
		.kind = id, .answer = answer, .flags = JOURNAL_SHARED, .args = *args};
	char line[256], small[8];

	op_by_id(id)->show(&r, &namer, line, sizeof(line));
	assert_string_equal(line, expected);
	op_by_id(id)->show(&r, &namer, small, sizeof(small)); /* no overflow */
	assert_true(strlen(small) < sizeof(small));
}

static void operations_show_like_strace(void **state)
{
	struct op_args a = {
		.object = 9, .dir = 2, .dir2 = 3, .aux = 8192, .name = {.number = 7}, .offset = 4096};

	shown(10, &a, 8192, "pwrite(\"2s/7\", 8192 bytes, 4096) = 8192");
	a.aux = 0644;
	shown(1, &a, 0, "open(\"2s/7\", O_CREAT|O_EXCL, 0644) = 0");
	shown(3, &a, -ENOSPC, "unlink(\"2s/7\") = -1 ENOSPC (No space left on device)");
	a.name2 = (struct nameref){.number = 5};
	shown(5, &a, 0, "rename(\"2s/7\" -> \"3/5\") = 0");
	shown(30, &a, 0, "renameat2(\"2s/7\" -> \"3/5\", RENAME_EXCHANGE) = 0");
	shown(31, &a, -EEXIST, "renameat2(\"2s/7\" -> \"3/5\", RENAME_NOREPLACE) = -1 EEXIST (File exists)");
	a.dir = OBJECT_HELD;
	shown(34, &a, 0, "linkat(\"w0000/(unlinked #9)\" -> \"3/5\", AT_SYMLINK_FOLLOW) = 0");
	shown(36, &a, 0, "close(\"w0000/(unlinked #9)\") = 0");
	a.name2 = (struct nameref){0};
	shown(33, &a, 0, "open(\"3/0\", O_TMPFILE|O_RDWR, 0644) = 0 /* \"w0000/(unlinked #9)\" */");
	a.dir = OBJECT_NONE;
	a.object = OBJECT_ROOT;
	shown(18, &a, 0, "fsync(\"w0000\") = 0");
	a = (struct op_args){.object = 9,
			     .dir = 2,
			     .dir2 = 11,
			     .aux = 5 | 1U << 31,
			     .name = {.number = 7},
			     .offset = 100ULL << 32 | 8};
	shown(23, &a, 0,
	      "fallocate(\"2s/7\", FALLOC_FL_ZERO_RANGE|FALLOC_FL_KEEP_SIZE, 429496729608, 5) = 0");
	a.aux = 4096;
	shown(25, &a, 0, "ficlonerange(\"2s/7\", 8 <- object 11, 100, 4096 bytes) = 0");
	shown(26, &a, 4096, "copy_file_range(\"2s/7\", 8 <- object 11, 100, 4096 bytes) = 4096");
	shown(24, &a, -EOPNOTSUPP,
	      "ficlone(\"2s/7\" <- object 11) = -1 EOPNOTSUPP (Operation not supported)");
	for (size_t i = 0; i < op_count; i++) {
		const struct op_namer namer = {.path = plain_path};
		const struct journal_record r = {.kind = op_table[i]->id, .answer = -1, .args = a};
		char line[256];

		op_table[i]->show(&r, &namer, line, sizeof(line));
		assert_non_null(strstr(line, ") = -1 EPERM (Operation not permitted)"));
	}
}

int main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(table_is_sane),
		cmocka_unit_test(workloads_name_operations),
		cmocka_unit_test(defaults_are_those_of_churn),
		cmocka_unit_test(operations_show_like_strace),
		cmocka_unit_test(a_clock_set_back_widens_the_interval),
	};
	const struct CMUnitTest with_tree[] = {
		cmocka_unit_test(draws_are_deterministic_and_in_the_model),
		cmocka_unit_test(wrong_answers_are_findings),
		cmocka_unit_test(witnesses_are_kept_until_they_are_deleted),
		cmocka_unit_test(a_switch_leaves_no_subvolume_behind),
		cmocka_unit_test(a_switch_lets_files_without_a_name_go),
		cmocka_unit_test(a_switch_that_stops_half_way_leaves_a_witness),
		cmocka_unit_test(a_failed_fsync_makes_its_object_unsure),
		cmocka_unit_test(a_failed_utimensat_leaves_either_time),
		cmocka_unit_test(odd_sizes_after_failures_are_findings),
		cmocka_unit_test(short_writes_learn_their_prefix),
		cmocka_unit_test(flipped_bits_are_noticed_by_a_read),
	};
	int failed = cmocka_run_group_tests_name("ops", plain, NULL, NULL);

	if (geteuid() != 0) {
		print_message("the rest wants root (chown, reading whatever the mode says)\n");
		return failed;
	}
	return failed + cmocka_run_group_tests_name("ops on a tree", with_tree, open_world, close_world);
}
