/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whiteouts, and files without a name: right ones are silent, wrong ones are found. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

static uint32_t whiteout;
static char label[64];

/* A file of worker 0 that leaves a whiteout behind, and one that loses its name while it is open. */
static int start(void **state)
{
	struct model *m;
	struct nameref to;
	struct world *w;
	char from[4096], path[64];
	struct object o;
	uint32_t moved;

	assert_int_equal(world_start(state), 0);
	w = *state;
	m = &w->model[0];
	moved = make_file(w, 0, OBJECT_ROOT, 10, 5000);
	snprintf(from, sizeof(from), "%s", path_of(w, 0, moved));
	o = object_of(w, 0, moved);
	to = nameref_make(model_next_name(m), 1, 0);
	whiteout = model_whiteout(m, ++w->op[0], o.first_name, OBJECT_ROOT, to, model_next_object(m), 0, 0);
	assert_int_equal(renameat2(w->mount, from, w->mount, path_of(w, 0, moved), RENAME_WHITEOUT), 0);

	w->held = make_file(w, 0, OBJECT_ROOT, 10, 50001);
	set_xattr(w, 0, w->held, 2, 77);
	learn_times(w);
	snprintf(from, sizeof(from), "%s", path_of(w, 0, w->held));
	w->held_fd = openat(w->mount, from, O_RDWR | O_CLOEXEC);
	assert_true(w->held_fd >= 0);
	assert_int_equal(unlinkat(w->mount, from, 0), 0);
	model_orphan(m, ++w->op[0], object_of(w, 0, w->held).first_name);
	held_label(0, w->held, label, sizeof(label));
	snprintf(path, sizeof(path), "w0000/(unlinked #%u)", w->held);
	assert_string_equal(label, path);
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	close(w->held_fd);
	return world_end(state);
}

static void right_ones_are_compared_and_silent(void **state)
{
	struct world *w = *state;
	uint32_t held = w->held;
	uint64_t objects, bytes;

	silent(w, "hot");
	objects = w->counters.objects;
	bytes = w->counters.bytes;
	silent(w, "cold");
	assert_int_equal(w->counters.bytes, bytes);
	w->held = 0; /* nobody has descriptors any more: it is gone, which is right */
	silent(w, "hot");
	assert_int_equal(w->counters.objects, objects - 1);
	assert_int_equal(w->counters.bytes, bytes - 50001);
	silent(w, "remount");
	w->held = held;
}

static void a_wrong_attribute(void **state)
{
	struct world *w = *state;
	const struct finding *f;

	assert_int_equal(fchmod(w->held_fd, 0), 0);
	run(w, "hot");
	f = only(w, FINDING_ATTRIBUTE, label);
	assert_non_null(strstr(f->detail, "mode: expected 0644, found 0000"));
	assert_int_equal(fchmod(w->held_fd, 0644), 0);
	silent(w, "hot");
}

static void a_wrong_block(void **state)
{
	static const char *const verifiers[] = {"hot", "cold"};
	struct world *w = *state;
	unsigned char kept[BLOCK_SIZE], wrong[BLOCK_SIZE];
	struct timespec times[2];
	struct stat st;

	assert_int_equal(fstat(w->held_fd, &st), 0);
	times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
	times[1] = st.st_mtim;
	memset(wrong, 0x5a, sizeof(wrong));
	assert_int_equal(pread(w->held_fd, kept, sizeof(kept), 2 * BLOCK_SIZE), sizeof(kept));
	assert_int_equal(pwrite(w->held_fd, wrong, sizeof(wrong), 2 * BLOCK_SIZE), sizeof(wrong));
	assert_int_equal(futimens(w->held_fd, times), 0);
	for (size_t i = 0; i < ARRAY_SIZE(verifiers); i++) {
		const struct finding *f;

		run(w, verifiers[i]);
		f = only(w, FINDING_GARBAGE, label);
		assert_int_equal(f->offset, 2 * BLOCK_SIZE);
		assert_int_equal(f->length, BLOCK_SIZE);
		assert_true(f->still);
	}
	assert_int_equal(pwrite(w->held_fd, kept, sizeof(kept), 2 * BLOCK_SIZE), sizeof(kept));
	assert_int_equal(futimens(w->held_fd, times), 0);
	silent(w, "hot");
}

/* It cannot be that the worker lost it while it was parked. */
static void a_lost_descriptor(void **state)
{
	struct world *w = *state;
	int fd = w->held_fd;

	w->held_fd = -1;
	run(w, "hot");
	assert_int_equal(w->count, 2); /* attributes and content */
	assert_int_equal(w->found[0]->class, FINDING_HARNESS);
	assert_string_equal(w->found[0]->path, label);
	w->held_fd = fd;
}

static void another_device_in_place_of_a_whiteout(void **state)
{
	struct world *w = *state;
	char *path = strdup(path_of(w, 0, whiteout));
	struct stat st = stat_of(w, path);
	const struct finding *f;

	assert_int_equal(st.st_rdev, 0);
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	assert_int_equal(mknodat(w->mount, path, S_IFCHR, makedev(0, 1)), 0);
	restore_mtime(w, path, &st);
	run(w, "hot");
	f = only(w, FINDING_ATTRIBUTE, path);
	assert_non_null(strstr(f->detail, "device number: expected 0, found 1"));
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	assert_int_equal(mknodat(w->mount, path, S_IFREG, 0), 0);
	restore_mtime(w, path, &st);
	run(w, "hot");
	f = only(w, FINDING_ATTRIBUTE, path);
	assert_non_null(strstr(f->detail, "type: expected a character device, found a file"));
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	assert_int_equal(mknodat(w->mount, path, S_IFCHR, makedev(0, 0)), 0);
	restore_mtime(w, path, &st);
	free(path);
	silent(w, "hot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_ones_are_compared_and_silent),
		cmocka_unit_test(a_wrong_attribute),
		cmocka_unit_test(a_wrong_block),
		cmocka_unit_test(a_lost_descriptor),
		cmocka_unit_test(another_device_in_place_of_a_whiteout),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	return cmocka_run_group_tests_name("verify_held", tests, start, end);
}
