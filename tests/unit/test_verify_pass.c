/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pass as a whole: silence, what is counted, where it ends. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/plugins.h"
#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

static void a_tree_as_recorded_is_silent(void **state)
{
	struct world *w = *state;
	uint64_t files = 0, bytes = bytes_of_all(w);

	silent(w, "hot");
	assert_int_equal(w->counters.bytes, bytes);
	assert_true(w->counters.resident > 0 && w->counters.resident <= w->counters.blocks);
	assert_true(w->counters.names > w->counters.objects);
	for (unsigned int i = 0; i < WORKERS; i++)
		files += head(w, i)->objects.live;
	assert_in_range(w->counters.objects, 600, files);
	silent(w, "cold");
	assert_int_equal(w->counters.bytes, bytes);
	assert_in_range(w->counters.cached_only, 1, bytes / 4); /* small files are inline */
	assert_int_equal(w->counters.names, 0);
	unmount_world(w);
	mount_world(w, ",nodatasum");
	silent(w, "remount");
	assert_int_equal(w->counters.bytes, bytes);
	assert_true(w->counters.resident < w->counters.blocks / 2);
}

static void unsure_objects_are_counted_not_compared(void **state)
{
	struct world *w = *state;
	uint32_t object = make_file(w, 1, OBJECT_ROOT, 30, 50000);

	model_set_unsure(&w->model[1], ++w->op[1], object);
	put(w, path_of(w, 1, object), 0, "unknown", 7);
	silent(w, "cold");
	assert_int_equal(w->counters.unsure, 13);
	silent(w, "hot");
}

static void a_stopped_pass_ends_early(void **state)
{
	struct world *w = *state;
	const _Atomic bool stop = true;
	struct finding_sink sink = {collect, w};
	struct frozen *frozen = model_freeze(&w->model[0]);
	const struct model_view *view = &frozen->view;
	struct verification v = {
		.target = &w->target,
		.mount = w->mount,
		.run = RUN,
		.views = &view,
		.view_count = 1,
		.threads = 1,
		.findings = &sink,
		.counters = &w->counters,
		.stop = &stop,
	};
	struct error e;

	memset(&w->counters, 0, sizeof(w->counters));
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(plugin_verifiers[i]->run(&v, &e), 0);
	assert_int_equal(w->counters.bytes, 0);
	model_release(frozen);
}

/* Thousands of wrong places: the first ones are told, the rest counted. */
static void the_number_of_findings_is_limited(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->big);
	unsigned char *kept = malloc(BIG), *bad = malloc(BIG);

	read_back(w, path, 0, kept, BIG);
	memcpy(bad, kept, BIG);
	for (size_t at = 0; at < BIG; at += 2 * (size_t)BLOCK_SIZE)
		bad[at + 5] ^= 1;
	plant(w, path, 0, bad, BIG);
	run(w, "cold");
	assert_int_equal(w->count, 1001);
	assert_non_null(strstr(w->found[1000]->detail, " more findings of this pass"));
	plant(w, path, 0, kept, BIG);
	free(kept);
	free(bad);
	silent(w, "hot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_as_recorded_is_silent),
		cmocka_unit_test(unsure_objects_are_counted_not_compared),
		cmocka_unit_test(a_stopped_pass_ends_early),
		cmocka_unit_test(the_number_of_findings_is_limited),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	return cmocka_run_group_tests_name("verify_pass", tests, world_start, world_end);
}
