/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mapped, direct and shared operations stand on: guarded copies, windows, ranges of a batch, stripes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/model/stripes.h"
#include "src/ops/address.h"
#include "src/ops/direct.h"
#include "src/ops/guarded.h"
#include "src/ops/table.h"
#include "src/ops/window.h"
#include "tests/unit/ops_world.h"
#include "tests/unit/unit.h"

extern const struct workload workload_mmap, workload_aio;

/* ---- guarded copies: a mapping of two pages of which the file has one */

static unsigned char *half_mapping(int *fd)
{
	char name[] = "/tmp/recow-mapped-XXXXXX";
	unsigned char *at;

	*fd = mkstemp(name);
	assert_true(*fd >= 0);
	unlink(name);
	assert_int_equal(ftruncate(*fd, BLOCK_SIZE), 0);
	at = mmap(NULL, (size_t)2 * BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_true(at != MAP_FAILED);
	return at;
}

static void store_ends_where_the_page_is_missing(void)
{
	static unsigned char data[2 * BLOCK_SIZE], got[BLOCK_SIZE];
	unsigned char *at;
	int fd;

	memset(data, 0x5a, sizeof(data));
	at = half_mapping(&fd);
	for (size_t from = BLOCK_SIZE - 20; from < BLOCK_SIZE; from++) {
		memset(at, 0, BLOCK_SIZE);
		assert_int_equal(guarded_store(at + from, data, 40), BLOCK_SIZE - from);
		assert_int_equal(pread(fd, got, BLOCK_SIZE, 0), BLOCK_SIZE);
		for (size_t i = 0; i < BLOCK_SIZE; i++)
			assert_int_equal(got[i], i < from ? 0 : 0x5a);
	}
	assert_int_equal(guarded_store(at + BLOCK_SIZE, data, 1), 0);
	assert_int_equal(guarded_store(at + 3, data, 1001), 1001);
	munmap(at, (size_t)2 * BLOCK_SIZE);
	close(fd);
}

static void load_says_what_could_not_be_read(void)
{
	static unsigned char got[2 * BLOCK_SIZE];
	unsigned char *at;
	size_t fault = 0;
	int fd;

	at = half_mapping(&fd);
	assert_true(guarded_load(got, at, BLOCK_SIZE, &fault));
	assert_false(guarded_load(got, at + 100, BLOCK_SIZE, &fault));
	assert_in_range(fault, BLOCK_SIZE - 100, BLOCK_SIZE - 1);
	munmap(at, (size_t)2 * BLOCK_SIZE);
	close(fd);
}

/* In one: cmocka takes the signal back behind each test. */
static void a_missing_page_is_an_answer(void **state)
{
	store_ends_where_the_page_is_missing();
	load_says_what_could_not_be_read();
}

/* ---- ranges */

static void ranges_of_a_batch_are_disjoint(void **state)
{
	for (uint32_t aux = 0; aux < 160; aux++) {
		const struct op_args args = {.offset = 7 * MiB + aux * 11, .aux = aux};
		uint64_t end = 7 * MiB, sum = 0;

		for (unsigned int i = 0; i < direct_count(&args); i++) {
			const struct direct_range r = direct_range(&args, i), same = direct_range(&args, i);

			assert_memory_equal(&r, &same, sizeof(r));
			assert_true(r.offset >= end && r.length);
			assert_int_equal(r.offset % BLOCK_SIZE + r.length % BLOCK_SIZE, 0);
			end = r.offset + r.length;
			sum += r.length;
		}
		assert_true(sum <= OP_BUFFER);
	}
}

static void every_byte_has_one_owner(void **state)
{
	for (uint32_t k = 0; k < 16; k++) {
		for (uint32_t workers = 1; workers <= 2000; workers = workers * 3 + 1) {
			uint64_t sum = 0;

			for (uint32_t i = 0; i < workers; i++)
				sum += stripes_owned(k, i, workers);
			assert_int_equal(sum * stripes_length(k), stripes_size(k));
		}
		assert_int_equal(stripes_length(k) % LINE_SIZE, 0);
	}
}

/* ---- in a directory of /tmp */

static struct world world;
static char directory[64];

static int open_world(void **state)
{
	static struct workload w;

	w = workload_mmap;
	w.shape.size[1] = 128 * KiB;
	snprintf(directory, sizeof(directory), "/tmp/recow-mapped-XXXXXX");
	if (geteuid() != 0 || !mkdtemp(directory))
		return -1;
	world_open(&world, directory, &w, 11);
	return 0;
}

static int close_world(void **state)
{
	world_close(&world);
	world_sweep(directory);
	return rmdir(directory);
}

static unsigned int windows(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < OP_WINDOWS; i++)
		count += world.ctx.window[i].at != NULL;
	return count;
}

static void windows_go_with_their_files(void **state)
{
	struct object o;
	unsigned int found = 0;

	for (uint64_t n = 1; n <= 3000; n++) {
		world_step(&world, n);
		for (unsigned int i = 0; i < OP_WINDOWS; i++) {
			const struct op_window *w = &world.ctx.window[i];

			if (!w->at)
				continue;
			found++;
			assert_true(view_object(&world.model.head, w->object, &o));
			assert_int_equal(o.born, w->born);
			assert_true(o.size >= w->reach);
		}
	}
	assert_true(found > 3000);
	assert_int_equal(world.findings, 0);
	windows_close(&world.ctx);
	assert_int_equal(windows(), 0);
}

/* Of three workers this is number 0: what the others have in a shared file is none of its business. */
static void the_others_bytes_are_passed_over(void **state)
{
	struct op_args args = {.object = OBJECT_FIRST_SHARED_FILE, .aux = 10 * BLOCK_SIZE};
	const uint32_t stripe = stripes_length(0);
	struct op_answer a;
	char junk[64] = "somebody else's";
	int fd = openat(world.ctx.target, "shared/f00", O_RDWR);

	world.ctx.workers = 3;
	world.ctx.operation = 4000;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, (off_t)stripes_size(0)), 0);
	model_truncate(&world.model, 4000, args.object, 0);
	model_truncate(&world.model, 4000, args.object, stripes_size(0));
	assert_int_equal(pwrite(fd, junk, stripe, stripe), stripe);
	assert_int_equal(pwrite(fd, junk, stripe, (off_t)8 * stripe), stripe);
	op_shared_read.call(&world.ctx, &args, &a);
	op_shared_read.learn(&world.ctx, &args, &a);
	assert_int_equal(world.findings, 0);
	assert_int_equal(pwrite(fd, junk, 1, (off_t)9 * stripe + 1), 1);
	op_shared_read.call(&world.ctx, &args, &a);
	op_shared_read.learn(&world.ctx, &args, &a);
	assert_int_equal(world.findings, 1);
	assert_non_null(strstr(world.finding, "shared/f00"));
	close(fd);
}

/* Draws stay within a stripe of the worker's own. */
static void draws_are_of_own_stripes(void **state)
{
	world.ctx.workers = 5;
	for (uint64_t n = 1; n < 2000; n++) {
		struct stream s = stream_make(5, 6, n);
		struct op_args args = {0};
		uint32_t k, stripe;

		assert_true(op_shared_store.draw(&world.ctx, &s, &args));
		k = args.object - OBJECT_FIRST_SHARED_FILE;
		stripe = stripes_length(k);
		assert_int_equal(stripes_owner(k, args.offset, 5), 0);
		assert_int_equal((args.offset + args.aux - 1) / stripe, args.offset / stripe);
		assert_true(args.aux > 0);
	}
}

int main(void)
{
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(a_missing_page_is_an_answer),
		cmocka_unit_test(ranges_of_a_batch_are_disjoint),
		cmocka_unit_test(every_byte_has_one_owner),
	};
	const struct CMUnitTest real[] = {
		cmocka_unit_test_setup_teardown(windows_go_with_their_files, open_world, close_world),
		cmocka_unit_test_setup_teardown(the_others_bytes_are_passed_over, open_world, close_world),
		cmocka_unit_test_setup_teardown(draws_are_of_own_stripes, open_world, close_world),
	};
	int failed = cmocka_run_group_tests_name("mapped", pure, NULL, NULL);

	if (geteuid() != 0)
		return failed ? failed : 77; /* the rest wants root */
	return failed + cmocka_run_group_tests_name("mapped_real", real, NULL, NULL);
}
