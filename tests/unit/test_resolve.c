/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a failure left, on a real file: a truncate that is said to have failed after this or that was done. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/judge.h"
#include "src/ops/resolve.h"
#include "tests/unit/ops_world.h"
#include "tests/unit/unit.h"

extern const struct workload workload_churn;

static struct world world;
static char directory[64];
static struct finding last;

static void keep_last(void *self, const struct finding *f)
{
	world.findings++;
	last = *f;
}

static int open_world(void **state)
{
	static struct workload w;

	w = workload_churn;
	w.shape.files = 60;
	w.shape.size[0] = 32 * KiB;
	w.shape.size[1] = 256 * KiB;
	snprintf(directory, sizeof(directory), "/tmp/recow-resolve-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	world_open(&world, directory, &w, 7);
	world.sink.emit = keep_last;
	for (uint64_t n = 1; n <= 3000; n++)
		world_step(&world, n);
	return 0;
}

static int close_world(void **state)
{
	world_close(&world);
	world_sweep(directory);
	return rmdir(directory);
}

/* A file of at least five blocks that hold data, opened. */
static int some_file(struct op_args *args, struct object *o)
{
	const struct model_view *v = &world.model.head;
	struct block_entry entries[5];
	struct name n;

	for (uint32_t i = 0; i < v->names.count; i++) {
		if (!view_name(v, i, &n) || !view_object(v, n.object, o) || o->type != OBJECT_FILE ||
		    o->flags & OBJECT_UNSURE || view_blocks(v, o, 0, 5, entries) < 5 || !entries[0].writer ||
		    !entries[1].writer || !entries[2].writer || !entries[3].writer ||
		    o->size < 5ULL * BLOCK_SIZE)
			continue;
		*args = (struct op_args){.object = n.object, .dir = n.parent, .name = {i, n.tag}};
		return address_open(&world.ctx, args, O_RDWR);
	}
	fail_msg("no such file");
	return -1;
}

/* A page of zeroes over this block of the file, and not in the model. */
static void zero_on_disk(int fd, uint64_t block)
{
	static const unsigned char zeroes[BLOCK_SIZE];

	assert_int_equal(pwrite(fd, zeroes, BLOCK_SIZE, (off_t)(block * BLOCK_SIZE)), BLOCK_SIZE);
}

static uint64_t hash_of(uint32_t object, uint64_t block)
{
	struct block_entry entry;
	struct object o;

	assert_true(view_object(&world.model.head, object, &o));
	assert_int_equal(view_blocks(&world.model.head, &o, block, 1, &entry), 1);
	return entry.hash;
}

static bool is_unsure(uint32_t object)
{
	struct object o;

	assert_true(view_object(&world.model.head, object, &o));
	return o.flags & OBJECT_UNSURE;
}

/* ---- by hand: an operation that zeroes [4096, 4 * 4096) of a file */

static void zero_part(struct op_ctx *c, const struct op_args *args, uint64_t from, uint64_t to)
{
	model_zero(c->model, c->operation, args->object, from, to - from);
}

static void settle(const struct op_args *args, int fd, uint32_t step, bool dropped)
{
	const struct resolve r = {
		.op = op_by_name("truncate"),
		.args = args,
		.offset = BLOCK_SIZE,
		.length = 3ULL * BLOCK_SIZE,
		.apply = zero_part,
		.step = step,
		.dropped = dropped,
	};

	resolve_look(&world.ctx, fd, r.offset, r.length);
	resolve_blocks(&world.ctx, &r);
}

static void each_block_is_old_or_new(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);
	uint64_t kept[3] = {hash_of(args.object, 0), hash_of(args.object, 1), hash_of(args.object, 3)};

	zero_on_disk(fd, 2);
	settle(&args, fd, 0, false);
	assert_int_equal(world.findings, before);
	assert_false(is_unsure(args.object));
	assert_int_equal(hash_of(args.object, 0), kept[0]);
	assert_int_equal(hash_of(args.object, 1), kept[1]);
	assert_int_equal(hash_of(args.object, 2), content_hash_of_zeroes());
	assert_int_equal(hash_of(args.object, 3), kept[2]);
	close(fd);
}

static void a_prefix_where_prefixes_may_be(void **state)
{
	const unsigned int before = world.findings;
	static const unsigned char zeroes[1536];
	unsigned char block[BLOCK_SIZE];
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	assert_int_equal(pwrite(fd, zeroes, sizeof(zeroes), BLOCK_SIZE), sizeof(zeroes));
	assert_int_equal(pread(fd, block, BLOCK_SIZE, BLOCK_SIZE), BLOCK_SIZE);
	settle(&args, fd, 512, false);
	assert_int_equal(world.findings, before);
	assert_false(is_unsure(args.object));
	assert_int_equal(hash_of(args.object, 1), content_hash(block));
	close(fd);
}

/* A block that is neither: named against the nearer of the two, and the object is not believed any more. */
static void neither_is_a_finding(void **state)
{
	const unsigned int before = world.findings;
	unsigned char bit;
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	assert_int_equal(pread(fd, &bit, 1, 2 * BLOCK_SIZE + 5), 1);
	bit ^= 0x10;
	assert_int_equal(pwrite(fd, &bit, 1, 2 * BLOCK_SIZE + 5), 1);
	settle(&args, fd, 0, false);
	assert_int_equal(world.findings, before + 1);
	assert_int_equal(last.class, FINDING_FLIPPED);
	assert_int_equal(last.offset, 2 * BLOCK_SIZE);
	assert_int_equal(last.object, args.object);
	assert_int_equal(last.place, SEEN_CHURN);
	assert_true(last.still);
	assert_true(is_unsure(args.object));
	close(fd);
}

/* Where the kernel may have dropped pages it is only not known. */
static void neither_where_pages_may_be_dropped(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	assert_int_equal(pwrite(fd, "garbage", 7, BLOCK_SIZE), 7);
	settle(&args, fd, 0, true);
	assert_int_equal(world.findings, before);
	assert_true(is_unsure(args.object));
	close(fd);
}

static void what_was_not_read_is_unsure(void **state)
{
	const unsigned int before = world.findings;
	struct resolve r = {.op = op_by_name("truncate"), .length = 3ULL * BLOCK_SIZE, .apply = zero_part};
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	r.args = &args;
	resolve_look(&world.ctx, fd, 0, 2ULL * BLOCK_SIZE);
	resolve_blocks(&world.ctx, &r);
	assert_int_equal(world.findings, before);
	assert_true(is_unsure(args.object));
	close(fd);
}

static void no_more_is_looked_at_than_there_is_room_for(void **state)
{
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	assert_int_equal(ftruncate(fd, (off_t)(2 * LOOK_BLOCKS * (uint64_t)BLOCK_SIZE)), 0);
	resolve_look(&world.ctx, fd, 1, 2 * LOOK_BLOCKS * (uint64_t)BLOCK_SIZE - 1);
	assert_int_equal(world.ctx.look.count, LOOK_BLOCKS);
	resolve_look(&world.ctx, fd, 0, 1);
	assert_int_equal(world.ctx.look.count, 1);
	assert_int_equal(ftruncate(fd, (off_t)o.size), 0);
	resolve_look(&world.ctx, fd, o.size / BLOCK_SIZE * BLOCK_SIZE, 100ULL * BLOCK_SIZE);
	assert_true(world.ctx.look.count <= 1);
	close(fd);
}

/* ---- truncate */

/* A truncate to 4096 and a half that failed, and left the file at `size`. */
static void failed_truncate(struct op_args *args, int fd, uint64_t size)
{
	const struct op *op = op_by_name("truncate");
	struct op_answer answer = {.ret = -ENOSPC, .began = true, .size = size};

	args->offset = BLOCK_SIZE / 2;
	resolve_look(&world.ctx, fd, args->offset, size - args->offset);
	op->learn(&world.ctx, args, &answer);
}

static void a_truncate_that_stopped_halfway_is_known(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);
	uint64_t kept;

	kept = hash_of(args.object, 2);
	zero_on_disk(fd, 1);
	assert_int_equal(ftruncate(fd, 3L * BLOCK_SIZE), 0);
	failed_truncate(&args, fd, 3ULL * BLOCK_SIZE);
	assert_int_equal(world.findings, before);
	assert_false(is_unsure(args.object));
	assert_true(view_object(&world.model.head, args.object, &o));
	assert_int_equal(o.size, 3 * BLOCK_SIZE);
	assert_int_equal(hash_of(args.object, 1), content_hash_of_zeroes());
	assert_int_equal(hash_of(args.object, 2), kept);
	close(fd);
}

static void a_failed_truncate_with_another_size_is_a_finding(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	failed_truncate(&args, fd, o.size + 1);
	assert_int_equal(world.findings, before + 1);
	assert_int_equal(last.class, FINDING_ATTRIBUTE);
	assert_true(is_unsure(args.object));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_block_is_old_or_new),
		cmocka_unit_test(a_prefix_where_prefixes_may_be),
		cmocka_unit_test(neither_is_a_finding),
		cmocka_unit_test(neither_where_pages_may_be_dropped),
		cmocka_unit_test(what_was_not_read_is_unsure),
		cmocka_unit_test(no_more_is_looked_at_than_there_is_room_for),
		cmocka_unit_test(a_truncate_that_stopped_halfway_is_known),
		cmocka_unit_test(a_failed_truncate_with_another_size_is_a_finding),
	};

	if (geteuid() != 0) {
		print_message("skipped: reading whatever the mode says wants root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("resolve", tests, open_world, close_world);
}
