/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Witnesses: snapshots against frozen models, whatever is changed beside them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

extern const struct verifier verifier_snapshots;

static struct witness_list list;

/* A snapshot of worker 0's subvolume, or of the shared one with both models. */
static struct witness *take(struct world *w, enum view_scope scope)
{
	const char *place = scope == SCOPE_PRIVATE ? "w0000" : "shared";
	size_t count = scope == SCOPE_PRIVATE ? 1 : WORKERS;
	struct frozen *frozen[WORKERS];
	struct witness *one;
	char path[40];

	learn_times(w);
	witness_path(path, sizeof(path), place, list.taken + 1);
	assert_int_equal(target_snapshot(w->mount, place, path, SNAPSHOT_READONLY, false), 0);
	for (size_t i = 0; i < count; i++) {
		w->model[i].head.operations = w->op[i];
		frozen[i] = model_freeze(&w->model[i]);
	}
	one = witness_make(place, list.taken + 1, scope, frozen, count);
	assert_non_null(one);
	one->operation = scope == SCOPE_PRIVATE ? ++w->op[0] : 0;
	one->time = clock_mono();
	witness_add(&list, one);
	return one;
}

static void drop(struct world *w)
{
	struct witness *oldest = witness_take_oldest(&list);

	assert_int_equal(target_snapshot_delete(w->mount, oldest->path), 0);
	witness_put(oldest);
}

/* `turns` passes; the first reads those with an odd number directly, the others through the cache. */
static void look(struct world *w, enum verify_when when, unsigned int turns)
{
	struct witness_list *lists[] = {&list};
	struct finding_sink sink = {collect, w};
	const _Atomic bool stop = false;
	struct verification v = {
		.target = &w->target,
		.mount = w->mount,
		.run = RUN,
		.threads = 2,
		.findings = &sink,
		.counters = &w->counters,
		.stop = &stop,
		.when = when,
		.witnesses = lists,
		.witness_lists = 1,
	};
	struct error e = {0};

	memset(&w->counters, 0, sizeof(w->counters));
	w->count = 0;
	for (unsigned int i = 0; i < turns; i++) {
		if (verifier_snapshots.run(&v, &e) != 0)
			fail_msg("%s", e.text);
	}
}

static void look_in_silence(struct world *w, enum verify_when when, unsigned int turns)
{
	look(w, when, turns);
	show_all(w);
	assert_int_equal(w->count, 0);
}

static void what_changes_beside_them_is_silent(void **state)
{
	struct world *w = *state;
	uint32_t file;

	take(w, SCOPE_PRIVATE);
	take(w, SCOPE_SHARED);
	write_file(w, 0, w->big, 1000, 3 * MiB);
	truncate_file(w, 0, w->middle, 10);
	set_xattr(w, 0, w->middle, 3, 77);
	write_file(w, 0, w->tail, 0, 5000);
	file = make_file(w, 0, OBJECT_ROOT, 30, 7000);
	take(w, SCOPE_PRIVATE);
	write_file(w, 0, file, 100, 100);
	look_in_silence(w, VERIFY_ROUND, 2);
	assert_int_equal(w->counters.witnesses, 6);
	assert_in_range(w->counters.bytes, 4 * BIG, 6 * BIG);
	assert_in_range(w->counters.objects, 2 * 600, 2 * 3 * head(w, 0)->objects.live);
	unmount_world(w);
	mount_world(w, ",nodatasum");
	look_in_silence(w, VERIFY_REMOUNTED, 1);
	assert_int_equal(w->counters.witnesses, 3);
	while (list.live)
		drop(w);
}

/* Only its own names are in it: a name too many, one too few. */
static void names_are_those_of_its_scope(void **state)
{
	struct world *w = *state;
	struct witness *one = take(w, SCOPE_PRIVATE);

	one->scope = SCOPE_SHARED; /* the models' other half isn't there, and w0000 is no shared directory */
	look(w, VERIFY_ROUND, 1);
	assert_true(w->count > 2);
	one->scope = SCOPE_PRIVATE;
	look_in_silence(w, VERIFY_ROUND, 1);
	drop(w);
	make_file(w, 0, OBJECT_ROOT, 30, 7000);
	take(w, SCOPE_PRIVATE);
	model_release(list.witness[0]->frozen[0]);
	make_file(w, 0, OBJECT_ROOT, 31, 7000);
	learn_times(w);
	list.witness[0]->frozen[0] = model_freeze(&w->model[0]);
	look(w, VERIFY_ROUND, 1);
	assert_true(w->count >= 1);
	assert_int_equal(w->found[0]->class, FINDING_MISSING);
	assert_int_equal(strncmp(w->found[0]->path, "snap/w0000.", 11), 0);
	drop(w);
}

/* In its place a snapshot has an empty directory, in the live tree it is compared as all else. */
static void a_subvolume_in_the_tree_is_empty_in_a_witness(void **state)
{
	struct world *w = *state;
	struct nameref ref = nameref_make(model_next_name(&w->model[0]), 12, 99);
	const struct model_create what = {
		.type = OBJECT_DIR, .subvolume = true, .parent = OBJECT_ROOT, .name = ref, .mode = 0755};
	uint32_t object = model_create(&w->model[0], ++w->op[0], &what), file, dir;
	char path[4200];

	full_path(w, path_of(w, 0, object), path);
	shell("btrfs -q subvolume create '%s' && chmod 755 '%s'", path, path);
	dir = make(w, 0, OBJECT_DIR, object, 5, 0);
	file = make_file(w, 0, dir, 10, 9000);
	link_file(w, 0, file, object);
	take(w, SCOPE_PRIVATE);
	look_in_silence(w, VERIFY_ROUND, 2);
	silent(w, "hot");
	write_file(w, 0, file, 0, 100);
	put(w, path_of(w, 0, file), 0, "planted", 7);
	look_in_silence(w, VERIFY_ROUND, 2);
	run(w, "hot");
	assert_true(w->count >= 1);
	write_file(w, 0, file, 0, 100);
	learn_times(w);
	drop(w);
}

static struct target_address locate(const struct world *w, const char *path, uint64_t offset)
{
	int fd = openat(w->mount, path, O_RDONLY);
	struct target_address a;
	struct error e;

	if (target_locate(&w->target, fd, offset, &a, &e) != 0)
		fail_msg("%s", e.text);
	close(fd);
	assert_int_equal(a.mirrors, 1);
	return a;
}

/* What a kernel does that writes in place instead of copying: newer bytes under the snapshot. */
static void newer_bytes_under_a_witness_are_told_as_such(void **state)
{
	struct world *w = *state;
	struct witness *one = take(w, SCOPE_PRIVATE);
	const uint64_t offset = 5 * MiB;
	unsigned char *newer = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);
	const struct finding *f = NULL;
	char inside[4200];
	int device;

	snprintf(inside, sizeof(inside), "%s%s", one->path, strchr(path_of(w, 0, w->big), '/'));
	write_file(w, 0, w->big, offset, BLOCK_SIZE);
	fill(0, w->op[0], w->big, offset, newer, BLOCK_SIZE);
	assert_int_equal(syncfs(w->mount), 0);
	device = open(w->image, O_WRONLY);
	assert_int_equal(
		pwrite(device, newer, BLOCK_SIZE, (off_t)locate(w, inside, offset).mirror[0].physical),
		BLOCK_SIZE);
	assert_int_equal(fsync(device), 0);
	close(device);
	shell("blockdev --flushbufs %s", w->target.device);
	look(w, VERIFY_ROUND, 1);
	f = only(w, FINDING_STALE, inside);
	assert_int_equal(f->place, one->number % 2 ? SEEN_COLD : SEEN_HOT);
	assert_int_equal(f->offset, offset);
	assert_int_equal(f->range[0].origin.operation, w->op[0]);
	assert_non_null(strstr(f->detail, "another version"));
	assert_non_null(strstr(f->detail, "changed in place under a witness"));
	assert_non_null(strstr(f->detail, "; snapshot taken by operation "));
	assert_string_equal(f->verifier, "snapshots");
	free(newer);
	drop(w);
}

static void one_that_is_deleted_meanwhile_is_no_finding(void **state)
{
	struct world *w = *state;
	struct witness *one = take(w, SCOPE_PRIVATE), *held;
	char path[40];

	snprintf(path, sizeof(path), "%s", one->path);
	held = witness_next(&list, 0);
	assert_ptr_equal(held, one);
	assert_null(witness_next(&list, one->number));
	assert_int_equal(target_snapshot_delete(w->mount, path), 0);
	look(w, VERIFY_ROUND, 1);
	assert_int_equal(only(w, FINDING_MISSING, path)->place, SEEN_HOT + (w->found[0]->place == SEEN_COLD));
	one->dying = true;
	look_in_silence(w, VERIFY_ROUND, 2);
	assert_int_equal(w->counters.witnesses, 0);
	witness_put(witness_take_oldest(&list));
	assert_true(view_intact(&held->frozen[0]->view)); /* its model is held for who still looks */
	witness_put(held);
}

static void one_that_nobody_took_is_told(void **state)
{
	struct world *w = *state;

	assert_int_equal(target_snapshot(w->mount, "w0001", "snap/w0001.9", SNAPSHOT_READONLY, true), 0);
	look(w, VERIFY_ROUND, 1);
	only(w, FINDING_EXTRA, "snap/w0001.9");
	assert_int_equal(target_snapshot_delete(w->mount, "snap/w0001.9"), 0);
	look_in_silence(w, VERIFY_ROUND, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changes_beside_them_is_silent),
		cmocka_unit_test(names_are_those_of_its_scope),
		cmocka_unit_test(a_subvolume_in_the_tree_is_empty_in_a_witness),
		cmocka_unit_test(newer_bytes_under_a_witness_are_told_as_such),
		cmocka_unit_test(one_that_is_deleted_meanwhile_is_no_finding),
		cmocka_unit_test(one_that_nobody_took_is_told),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	witness_list_init(&list);
	return cmocka_run_group_tests_name("verify_snapshots", tests, world_start_on_subvolumes, world_end);
}
