/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of two workers, as hot, cold and remount see it: one that is right, and wrong bytes of either. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/model/stripes.h"
#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

#define FIRST OBJECT_FIRST_SHARED_FILE

/* Every third stripe of a worker's, and of these every other only in part. */
static void write_stripes(struct world *w, unsigned int worker, uint32_t k)
{
	const uint32_t stripe = stripes_length(k);

	for (uint64_t n = 0; n < stripes_owned(k, worker, WORKERS); n += 3) {
		const uint64_t at = (n * WORKERS + worker) * stripe;

		assert_int_equal(stripes_owner(k, at, WORKERS), worker);
		if (n % 2)
			write_file(w, worker, FIRST + k, at + 5, stripe - 9);
		else
			write_file(w, worker, FIRST + k, at, stripe);
	}
}

static int start(void **state)
{
	if (world_start(state))
		return -1;
	for (uint32_t k = 0; k < SHARED_FILES; k++) {
		for (unsigned int i = 0; i < WORKERS; i++)
			write_stripes(*state, i, k);
	}
	return syncfs(((struct world *)*state)->mount);
}

static void what_all_have_written_is_right(void **state)
{
	struct world *w = *state;

	silent(w, "hot");
	silent(w, "cold");
	unmount_world(w);
	mount_world(w, ",nodatasum");
	silent(w, "remount");
}

/* Bytes of `worker` alone, in a page of both. */
static void damage(struct world *w, unsigned int worker, const char *verifier, enum finding_class class)
{
	const uint64_t at = (uint64_t)(66 * WORKERS + worker) * stripes_length(0);
	const uint32_t length = stripes_length(0);
	unsigned char right[64], wrong[64] = {0};
	const struct finding *f;

	read_back(w, "shared/f00", at, right, length);
	if (class == FINDING_FLIPPED) {
		memcpy(wrong, right, length);
		wrong[17] ^= 4;
	}
	put(w, "shared/f00", at, wrong, length);
	run(w, verifier);
	put(w, "shared/f00", at, right, length);
	f = only(w, class, "shared/f00");
	assert_int_equal(f->worker, worker);
	assert_int_equal(f->object, FIRST);
	assert_int_equal(f->offset, at - at % BLOCK_SIZE);
	assert_true(f->still);
}

static void the_finding_names_the_worker(void **state)
{
	for (unsigned int i = 0; i < WORKERS; i++) {
		damage(*state, i, "hot", FINDING_ZEROES);
		damage(*state, i, "cold", FINDING_ZEROES);
		damage(*state, i, "hot", FINDING_FLIPPED);
	}
	silent(*state, "hot");
}

/* Where nobody has written yet there are zeroes. */
static void stray_bytes(void **state)
{
	struct world *w = *state;
	const uint64_t at = 1ULL * WORKERS * stripes_length(1);

	put(w, "shared/f01", at, "stray", 5);
	run(w, "hot");
	put(w, "shared/f01", at, "\0\0\0\0", 5);
	assert_int_equal(only(w, FINDING_GARBAGE, "shared/f01")->worker, 0);
	silent(w, "cold");
}

static void a_file_that_is_gone_or_too_many(void **state)
{
	struct world *w = *state;

	assert_int_equal(renameat(w->mount, "shared/f02", w->mount, "kept"), 0);
	run(w, "cold");
	only(w, FINDING_MISSING, "shared/f02");
	assert_int_equal(renameat(w->mount, "kept", w->mount, "shared/f02"), 0);
	shell("touch %s/shared/f03", w->mnt);
	run(w, "hot");
	only(w, FINDING_EXTRA, "shared/f03");
	shell("rm %s/shared/f03", w->mnt);
	silent(w, "hot");
}

static void one_that_does_not_know_its_part(void **state)
{
	struct world *w = *state;

	model_set_unsure(&w->model[1], ++w->op[1], FIRST + 1);
	put(w, "shared/f01", 0, "x", 1);
	silent(w, "cold");
	assert_int_equal(w->counters.unsure, stripes_size(1) / BLOCK_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_all_have_written_is_right),
		cmocka_unit_test(the_finding_names_the_worker),
		cmocka_unit_test(stray_bytes),
		cmocka_unit_test(a_file_that_is_gone_or_too_many),
		cmocka_unit_test(one_that_does_not_know_its_part),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	return cmocka_run_group_tests_name("verify_shared", tests, start, world_end);
}
