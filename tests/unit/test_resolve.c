/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a failure left, on a real file: a truncate that is said to have failed after this or that was done. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/direct.h"
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
	w.shape.files = 150;
	w.shape.size[0] = 32 * KiB;
	w.shape.size[1] = 256 * KiB;
	snprintf(directory, sizeof(directory), "/tmp/recow-resolve-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	world_open(&world, directory, &w, 7);
	world.sink.emit = keep_last;
	for (uint64_t n = 1; n <= 6000; n++)
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

static void settle(const struct op_args *args, int fd, uint32_t unit, bool dropped)
{
	const struct resolve r = {
		.op = op_by_name("truncate"),
		.args = args,
		.offset = BLOCK_SIZE,
		.length = 3ULL * BLOCK_SIZE,
		.apply = zero_part,
		.fill = resolve_with_zeroes,
		.dropped = dropped,
	};

	resolve_look(&world.ctx, fd, r.offset, r.length);
	world.ctx.look.unit = unit;
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
	settle(&args, fd, BLOCK_SIZE, false);
	assert_int_equal(world.findings, before);
	assert_false(is_unsure(args.object));
	assert_int_equal(hash_of(args.object, 0), kept[0]);
	assert_int_equal(hash_of(args.object, 1), kept[1]);
	assert_int_equal(hash_of(args.object, 2), content_hash_of_zeroes());
	assert_int_equal(hash_of(args.object, 3), kept[2]);
	close(fd);
}

static void pieces_where_pieces_may_be(void **state)
{
	const unsigned int before = world.findings;
	static const off_t changed[] = {BLOCK_SIZE + 512, BLOCK_SIZE + 1536, BLOCK_SIZE + 3072};
	static const unsigned char zeroes[512];
	unsigned char block[BLOCK_SIZE];
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
		assert_int_equal(pwrite(fd, zeroes, sizeof(zeroes), changed[i]), sizeof(zeroes));
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
	settle(&args, fd, BLOCK_SIZE, false);
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
	settle(&args, fd, BLOCK_SIZE, true);
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

/* What is dirty is written, then read from disk. tmpfs has no disk: nothing is looked at. */
static void a_look_at_the_disk(void **state)
{
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);
	struct statfs fs;

	assert_int_equal(fstatfs(fd, &fs), 0);
	zero_on_disk(fd, 1);
	resolve_look_at_disk(&world.ctx, fd, BLOCK_SIZE + 1, 2ULL * BLOCK_SIZE);
	if (fs.f_type == TMPFS_MAGIC) {
		assert_int_equal(world.ctx.look.count, 0);
	} else {
		assert_int_equal(world.ctx.look.first, 1);
		assert_int_equal(world.ctx.look.count, 3);
		assert_int_equal(world.ctx.look.hash[0], content_hash_of_zeroes());
		assert_int_equal(world.ctx.look.hash[1], hash_of(args.object, 2));
	}
	settle(&args, fd, BLOCK_SIZE, false);
	assert_false(is_unsure(args.object));
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

/* ---- clones, copies and zeroed ranges that are said to have failed */

/* Two files, as some_file() finds them. */
static int two_files(struct op_args *args, struct object *to, uint32_t *source)
{
	const struct model_view *v = &world.model.head;
	int fd = some_file(args, to);
	struct object o;

	for (*source = v->objects.count - 1; *source; --*source) {
		if (*source != args->object && view_object(v, *source, &o) && o.type == OBJECT_FILE &&
		    !(o.flags & OBJECT_UNSURE) && o.size >= 5ULL * BLOCK_SIZE)
			return fd;
	}
	fail_msg("no second file");
	return -1;
}

/* Bytes [from, to) of the source are written to the same place of the file, as if cloned. */
static void copy_on_disk(int fd, uint32_t source, uint64_t from, uint64_t to)
{
	int in = address_open_object(&world.ctx, source, O_RDONLY);
	unsigned char block[BLOCK_SIZE];

	assert_true(in >= 0);
	for (uint64_t at = from; at < to; at += sizeof(block)) {
		size_t len = MIN(to - at, (uint64_t)sizeof(block));

		assert_int_equal(pread(in, block, len, (off_t)at), len);
		assert_int_equal(pwrite(fd, block, len, (off_t)at), len);
	}
	close(in);
}

/* The model has what the file holds, to the last block. */
static void assert_known(uint32_t object, int fd)
{
	unsigned char block[BLOCK_SIZE];
	struct object o;

	assert_true(view_object(&world.model.head, object, &o));
	assert_false(o.flags & OBJECT_UNSURE);
	assert_int_equal(o.size, resolve_size_of(fd));
	for (uint64_t i = 0; i * BLOCK_SIZE < o.size; i++) {
		ssize_t n = pread(fd, block, BLOCK_SIZE, (off_t)(i * BLOCK_SIZE));

		assert_true(n > 0);
		memset(block + n, 0, BLOCK_SIZE - (size_t)n);
		assert_int_equal(hash_of(object, i), content_hash(block));
	}
}

/* Learn that `op` answered this, after a look at [offset, offset + length). */
static void learn_failure(const char *op, const struct op_args *args, int fd, struct op_answer answer,
			  uint64_t offset, uint64_t length)
{
	answer.began = true;
	answer.size = resolve_size_of(fd);
	world.ctx.operation++;
	resolve_look(&world.ctx, fd, offset, length);
	op_by_name(op)->learn(&world.ctx, args, &answer);
}

static void a_clone_that_stopped_on_its_way(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object to;
	int fd = two_files(&args, &to, &args.dir2);

	args.aux = 4 * BLOCK_SIZE;
	copy_on_disk(fd, args.dir2, 0, 2ULL * BLOCK_SIZE);
	learn_failure("clone_range", &args, fd, (struct op_answer){.ret = -ENOSPC}, 0, args.aux);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);
	close(fd);
}

/* What it answered is there, and a block behind that, which it had shared before it fell back to copying. */
static void a_copy_that_stopped_on_its_way(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object to;
	int fd = two_files(&args, &to, &args.dir2);

	args.aux = 4 * BLOCK_SIZE;
	copy_on_disk(fd, args.dir2, 0, BLOCK_SIZE + 100);
	copy_on_disk(fd, args.dir2, 2ULL * BLOCK_SIZE, 3ULL * BLOCK_SIZE);
	learn_failure("copy_range", &args, fd, (struct op_answer){.ret = BLOCK_SIZE + 100, .stopped = ENOSPC},
		      0, args.aux);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);

	copy_on_disk(fd, args.dir2, 0, BLOCK_SIZE);
	learn_failure("copy_range", &args, fd, (struct op_answer){.ret = BLOCK_SIZE}, 0, args.aux);
	assert_int_equal(world.findings, before + 1); /* short, and no reason */
	assert_int_equal(last.class, FINDING_ANSWER);
	close(fd);
}

/* It grew on its way, and shared the first of the blocks behind the old end. */
static void a_clone_that_grew_the_file_in_part(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object to;
	int fd = two_files(&args, &to, &args.dir2);

	world.ctx.operation++;
	assert_int_equal(ftruncate(fd, 2L * BLOCK_SIZE), 0);
	model_truncate(&world.model, world.ctx.operation, args.object, 2ULL * BLOCK_SIZE);
	args.aux = 4 * BLOCK_SIZE;
	copy_on_disk(fd, args.dir2, BLOCK_SIZE, 3ULL * BLOCK_SIZE);
	learn_failure("clone_range", &args, fd, (struct op_answer){.ret = -ENOSPC}, 0, args.aux);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);
	assert_int_equal(ftruncate(fd, 5L * BLOCK_SIZE), 0); /* behind what it was to fill */
	learn_failure("clone_range", &args, fd, (struct op_answer){.ret = -ENOSPC}, 0, args.aux);
	assert_int_equal(world.findings, before + 1);
	assert_int_equal(last.class, FINDING_ATTRIBUTE);
	close(fd);
}

static void a_zeroed_range_that_was_cut_off(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	args.offset = BLOCK_SIZE + 7;
	args.aux = 3 * BLOCK_SIZE;
	assert_int_equal(ftruncate(fd, BLOCK_SIZE + 7), 0);
	learn_failure("zero_range", &args, fd, (struct op_answer){.ret = -ENOSPC, .cut = true}, 0, 1);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);
	close(fd);
}

static void a_punch_that_stopped_on_its_way(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args;
	struct object o;
	int fd = some_file(&args, &o);

	args.aux = 3 * BLOCK_SIZE;
	zero_on_disk(fd, 2);
	learn_failure("punch", &args, fd, (struct op_answer){.ret = -ENOSPC}, 0, args.aux);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);
	close(fd);
}

/* ---- on blocks of 1 KiB */

static void learn_on_small_blocks(const char *op, const struct op_args *args, int fd, uint64_t offset,
				  uint64_t length)
{
	struct op_answer answer = {.ret = -ENOSPC, .began = true, .size = resolve_size_of(fd)};

	world.ctx.operation++;
	resolve_look(&world.ctx, fd, offset, length);
	world.ctx.look.unit = 1024;
	op_by_name(op)->learn(&world.ctx, args, &answer);
}

/* The whole blocks of the range are gone, its edges are as they were. */
static void a_zeroed_range_with_its_edges_left(void **state)
{
	static const unsigned char zeroes[2048];
	const unsigned int before = world.findings;
	struct op_args args = {0};
	struct object o;
	int fd = some_file(&args, &o);

	args.offset = BLOCK_SIZE + 346;
	args.aux = BLOCK_SIZE;
	assert_int_equal(pwrite(fd, zeroes, 2048, BLOCK_SIZE + 1024), 2048);
	learn_on_small_blocks("zero_range", &args, fd, args.offset, args.aux);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);
	close(fd);
}

static void a_clone_of_the_second_half_of_a_block(void **state)
{
	const unsigned int before = world.findings;
	struct op_args args = {0};
	struct object to;
	int fd = two_files(&args, &to, &args.dir2);

	args.aux = 2 * BLOCK_SIZE;
	copy_on_disk(fd, args.dir2, 2048, BLOCK_SIZE);
	learn_on_small_blocks("clone_range", &args, fd, 0, args.aux);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);
	close(fd);
}

/* ---- direct writes, of which some ranges failed */

/* A batch of `count` ranges of a block each, from `block` on. */
static void batch(struct op_args *args, uint64_t block, unsigned int count)
{
	args->offset = block * BLOCK_SIZE;
	args->aux = count - 1;
	assert_int_equal(direct_range(args, count - 1).offset, (block + count - 1) * BLOCK_SIZE);
	world.ctx.operation++;
}

/* Bytes [from, to) got to the disk. */
static void written(const struct op_args *args, int fd, uint64_t from, uint64_t to)
{
	const struct content_key key = address_key(&world.ctx, args->object);
	unsigned char bytes[BLOCK_SIZE];

	content_fill(&key, from, bytes, to - from);
	assert_int_equal(pwrite(fd, bytes, to - from, (off_t)from), to - from);
}

/* What became of the ranges, with the stretch as it is now. */
static void learn_batch(const struct op_args *args, int fd, const int32_t *part, unsigned int count,
			uint32_t unit)
{
	struct op_answer answer = {.ret = -ENOSPC, .began = true, .parts = count};

	op_by_name("aio_write")->fill(&world.ctx, args);
	memcpy(answer.part, part, count * sizeof(*part));
	answer.size = resolve_size_of(fd);
	resolve_look(&world.ctx, fd, args->offset, (uint64_t)count * BLOCK_SIZE);
	world.ctx.look.unit = unit;
	op_by_name("aio_write")->learn(&world.ctx, args, &answer);
}

/* On blocks of 1 KiB: over two that hold data, and between them two in a hole. */
static void a_direct_write_into_data_and_holes(void **state)
{
	const unsigned int before = world.findings;
	const int32_t failed = -ENOSPC;
	struct op_args args = {0};
	struct object o;
	int fd = some_file(&args, &o);

	batch(&args, 2, 1);
	written(&args, fd, 2ULL * BLOCK_SIZE, 2ULL * BLOCK_SIZE + 1024);
	written(&args, fd, 2ULL * BLOCK_SIZE + 3072, 3ULL * BLOCK_SIZE);
	learn_batch(&args, fd, &failed, 1, 1024);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);
	close(fd);
}

/* The range that holds the end of the file was cut off there again, a later one grew the file after all. */
static void a_direct_write_across_an_end_that_moved_later(void **state)
{
	const unsigned int before = world.findings;
	const int32_t part[3] = {-ENOSPC, -ENOSPC, BLOCK_SIZE};
	const uint64_t end = 2 * BLOCK_SIZE + 1511;
	struct op_args args = {0};
	struct object o;
	int fd = some_file(&args, &o);

	world.ctx.operation++;
	assert_int_equal(ftruncate(fd, (off_t)end), 0);
	model_truncate(&world.model, world.ctx.operation, args.object, end);
	batch(&args, 2, 3);
	written(&args, fd, 2ULL * BLOCK_SIZE, end);
	written(&args, fd, 4ULL * BLOCK_SIZE, 5ULL * BLOCK_SIZE);
	learn_batch(&args, fd, part, 3, BLOCK_SIZE);
	assert_int_equal(world.findings, before);
	assert_known(args.object, fd);
	close(fd);
}

/* No block of the filesystem ends there, nor did the file. */
static void a_direct_write_torn_within_a_block(void **state)
{
	const unsigned int before = world.findings;
	const int32_t failed = -ENOSPC;
	struct op_args args = {0};
	struct object o;
	int fd = some_file(&args, &o);

	batch(&args, 2, 1);
	written(&args, fd, 2ULL * BLOCK_SIZE, 2ULL * BLOCK_SIZE + 512);
	learn_batch(&args, fd, &failed, 1, 1024);
	assert_int_equal(world.findings, before + 1);
	assert_int_equal(last.offset, 2 * BLOCK_SIZE);
	assert_true(is_unsure(args.object));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_block_is_old_or_new),
		cmocka_unit_test(pieces_where_pieces_may_be),
		cmocka_unit_test(neither_is_a_finding),
		cmocka_unit_test(neither_where_pages_may_be_dropped),
		cmocka_unit_test(what_was_not_read_is_unsure),
		cmocka_unit_test(no_more_is_looked_at_than_there_is_room_for),
		cmocka_unit_test(a_look_at_the_disk),
		cmocka_unit_test(a_truncate_that_stopped_halfway_is_known),
		cmocka_unit_test(a_failed_truncate_with_another_size_is_a_finding),
		cmocka_unit_test(a_clone_that_stopped_on_its_way),
		cmocka_unit_test(a_copy_that_stopped_on_its_way),
		cmocka_unit_test(a_clone_that_grew_the_file_in_part),
		cmocka_unit_test(a_zeroed_range_that_was_cut_off),
		cmocka_unit_test(a_punch_that_stopped_on_its_way),
		cmocka_unit_test(a_zeroed_range_with_its_edges_left),
		cmocka_unit_test(a_clone_of_the_second_half_of_a_block),
		cmocka_unit_test(a_direct_write_into_data_and_holes),
		cmocka_unit_test(a_direct_write_across_an_end_that_moved_later),
		cmocka_unit_test(a_direct_write_torn_within_a_block),
	};

	if (geteuid() != 0) {
		print_message("skipped: reading whatever the mode says wants root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("resolve", tests, open_world, close_world);
}
