/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that are gone, too many, or lead elsewhere. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

static void a_missing_name(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->tail);
	char away[64];

	snprintf(away, sizeof(away), "lost+found");
	assert_int_equal(renameat(w->mount, path, w->mount, away), 0);
	run(w, "hot");
	only(w, FINDING_MISSING, path);
	run(w, "cold"); /* it can't read what isn't there */
	only(w, FINDING_MISSING, path);
	assert_int_equal(renameat(w->mount, away, w->mount, path), 0);
	silent(w, "hot");
}

static void extra_names(void **state)
{
	static const char *const where[] = {"shared/d01/stray", "w0001/stray", "stray", "shared/d07"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		assert_int_equal(mkdirat(w->mount, where[i], 0755), 0);
		run(w, "hot");
		only(w, FINDING_EXTRA, where[i]);
		assert_int_equal(unlinkat(w->mount, where[i], AT_REMOVEDIR), 0);
	}
	silent(w, "hot");
}

static void a_missing_directory_is_one_finding(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->subdir);
	unsigned int missing = 0;

	assert_int_equal(renameat(w->mount, path, w->mount, "lost+found"), 0);
	run(w, "hot");
	for (unsigned int i = 0; i < w->count; i++)
		missing += w->found[i]->class == FINDING_MISSING;
	assert_int_equal(missing, w->count);
	only(w, FINDING_MISSING, path);
	assert_int_equal(renameat(w->mount, "lost+found", w->mount, path), 0);
}

static void another_type(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->symlink);

	assert_int_equal(renameat(w->mount, path, w->mount, "lost+found"), 0);
	assert_int_equal(mkdirat(w->mount, path, 0755), 0);
	run(w, "hot");
	only(w, FINDING_ATTRIBUTE, path);
	assert_non_null(strstr(w->found[0]->detail, "type: expected a symbolic link, found a directory"));
	assert_int_equal(unlinkat(w->mount, path, AT_REMOVEDIR), 0);
	assert_int_equal(renameat(w->mount, "lost+found", w->mount, path), 0);
}

static bool any(const struct world *w, enum finding_class class, const char *detail)
{
	for (unsigned int i = 0; i < w->count; i++) {
		if (w->found[i]->class == class && strstr(w->found[i]->detail, detail))
			return true;
	}
	return false;
}

/* A hard link that became a file of its own: the count is wrong, and so is the inode it leads to. */
static void a_hard_link_split_in_two(void **state)
{
	struct world *w = *state;
	char *path = strdup(path_of(w, 0, w->linked));
	struct object o = object_of(w, 0, w->linked);
	struct stat st = stat_of(w, path);
	char copy[4096], full[4200], other[4200];
	struct name n;

	assert_true(view_name(head(w, 0), o.first_name, &n));
	assert_true(view_path(head(w, 0), n.next, copy, sizeof(copy)) > 0);
	full_path(w, path, full);
	full_path(w, copy, other);
	assert_int_equal(unlinkat(w->mount, copy, 0), 0);
	shell("cp -p '%s' '%s'", full, other);
	restore_mtime(w, path, &st);
	learn_times(w);
	run(w, "hot");
	if (w->count != 2)
		show_all(w);
	assert_int_equal(w->count, 2);
	assert_true(any(w, FINDING_ATTRIBUTE, "link count: expected 2, found 1"));
	assert_true(any(w, FINDING_ATTRIBUTE, "link: expected inode"));
	assert_int_equal(unlinkat(w->mount, copy, 0), 0);
	assert_int_equal(linkat(w->mount, path, w->mount, copy, 0), 0);
	free(path);
	learn_times(w);
	silent(w, "hot");
}

/* Two objects that became one file. */
static void two_objects_on_one_inode(void **state)
{
	struct world *w = *state;
	char *path = strdup(path_of(w, 0, w->linked)), *victim = strdup(path_of(w, 0, w->small));

	assert_int_equal(renameat(w->mount, victim, w->mount, "lost+found"), 0);
	assert_int_equal(linkat(w->mount, path, w->mount, victim, 0), 0);
	learn_times(w);
	run(w, "hot");
	assert_true(any(w, FINDING_ATTRIBUTE, "is that of worker 0 object"));
	assert_int_equal(renameat(w->mount, "lost+found", w->mount, victim), 0);
	free(path);
	free(victim);
	learn_times(w);
	silent(w, "hot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_name),
		cmocka_unit_test(extra_names),
		cmocka_unit_test(a_missing_directory_is_one_finding),
		cmocka_unit_test(another_type),
		cmocka_unit_test(a_hard_link_split_in_two),
		cmocka_unit_test(two_objects_on_one_inode),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	return cmocka_run_group_tests_name("verify_names", tests, world_start, world_end);
}
