/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an inode says of itself. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

static void attribute(struct world *w, const char *path, const char *detail)
{
	run(w, "hot");
	only(w, FINDING_ATTRIBUTE, path);
	if (!strstr(w->found[0]->detail, detail))
		fail_msg("'%s' is not in '%s'", detail, w->found[0]->detail);
}

static void wrong_mode_and_owner(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->middle);

	assert_int_equal(fchmodat(w->mount, path, 0600, 0), 0);
	attribute(w, path, "mode: expected 0644, found 0600");
	assert_int_equal(fchmodat(w->mount, path, 0644, 0), 0);
	assert_int_equal(fchownat(w->mount, path, 7, -1, 0), 0);
	attribute(w, path, "owner: expected 0, found 7");
	assert_int_equal(fchownat(w->mount, path, 0, 8, 0), 0);
	attribute(w, path, "group: expected 0, found 8");
	assert_int_equal(fchownat(w->mount, path, 0, 0, 0), 0);
	silent(w, "hot");
}

static void wrong_times(void **state)
{
	struct world *w = *state;
	const uint32_t objects[] = {w->middle, w->subdir, w->symlink};

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		const char *path = path_of(w, 0, objects[i]);
		struct stat st = stat_of(w, path), wrong = st;

		wrong.st_mtim.tv_nsec += wrong.st_mtim.tv_nsec > 500000000 ? -6 : 6;
		restore_mtime(w, path, &wrong);
		attribute(w, path, "mtime: expected");
		restore_mtime(w, path, &st);
	}
	silent(w, "hot");
}

static void is_about(struct world *w, enum finding_attribute which, uint64_t found)
{
	const struct attribute_seen *seen = &w->found[0]->attribute;

	assert_int_equal(seen->which, which);
	assert_int_equal(seen->found, found);
	assert_int_equal(seen->learned, head(w, 0)->operations);
}

static void values_are_noted(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->middle);
	struct stat st = stat_of(w, path), wrong = st;

	assert_int_equal(fchmodat(w->mount, path, 0600, 0), 0);
	attribute(w, path, "mode: ");
	is_about(w, ATTRIBUTE_MODE, 0600);
	assert_int_equal(fchmodat(w->mount, path, 0644, 0), 0);
	assert_int_equal(fchownat(w->mount, path, 7, -1, 0), 0);
	attribute(w, path, "owner: ");
	is_about(w, ATTRIBUTE_OWNER, 7);
	assert_int_equal(fchownat(w->mount, path, 0, 8, 0), 0);
	attribute(w, path, "group: ");
	is_about(w, ATTRIBUTE_GROUP, 8);
	assert_int_equal(fchownat(w->mount, path, 0, 0, 0), 0);
	wrong.st_mtim = (struct timespec){.tv_sec = 1234567890, .tv_nsec = 123456789};
	restore_mtime(w, path, &wrong);
	attribute(w, path, "mtime: ");
	is_about(w, ATTRIBUTE_MTIME, 1234567890123456789);
	restore_mtime(w, path, &st);
	silent(w, "hot");
}

static void set_value(struct world *w, const char *path, const char *name, const void *value, size_t len)
{
	char full[4200];

	full_path(w, path, full);
	assert_int_equal(setxattr(full, name, value, len, 0), 0);
}

/* Value of an attribute found wrong: what is said of it, and by whom it was set. */
static void value_is(struct world *w, enum finding_value value, uint32_t worker, uint64_t operation,
		     const char *words)
{
	const struct finding *f = w->found[0];

	assert_int_equal(f->attribute.which, ATTRIBUTE_XATTR);
	if (f->attribute.value != value || !strstr(f->detail, words))
		fail_msg("value %u: %s", f->attribute.value, f->detail);
	assert_int_equal(f->attribute.origin.worker, worker);
	assert_int_equal(f->attribute.origin.operation, operation);
}

/* Of all that recow may have set it is known whose it is. */
static void whose_xattr(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->middle), *name = "user.recow.3";
	struct content_key key = {RUN, {0, 1}, w->middle};
	unsigned char right[500], value[500];
	char full[4200];

	full_path(w, path, full);
	assert_int_equal(getxattr(full, name, right, sizeof(right)), sizeof(right));
	content_xattr(&key, 3, value, 500);
	set_value(w, path, name, value, 500);
	attribute(w, path, "user.recow.3: 500 bytes are not those of");
	value_is(w, VALUE_OLDER, 0, 1, "an older value, set by operation 1");
	key.object = w->big;
	content_xattr(&key, 3, value, 500);
	set_value(w, path, name, value, 300);
	attribute(w, path, "user.recow.3: expected 500 bytes, found 300");
	value_is(w, VALUE_FOREIGN, 0, 1, "set by worker 0 operation 1 as user.recow.3 of object");
	key = (struct content_key){RUN, {1, 12}, w->middle};
	content_xattr(&key, 5, value, 500);
	set_value(w, path, name, value, 500);
	attribute(w, path, "user.recow.3: 500 bytes");
	value_is(w, VALUE_FOREIGN, 1, 12, "set by worker 1 operation 12 as user.recow.5 of object");
	set_value(w, path, name, right, 499);
	attribute(w, path, "found 499");
	assert_int_equal(w->found[0]->attribute.value, VALUE_PART);
	memset(value, 'x', sizeof(value));
	set_value(w, path, name, value, 500);
	attribute(w, path, "user.recow.3: 500 bytes");
	value_is(w, VALUE_NEVER, 0, 0, "never ours");
	set_value(w, path, name, value, 4); /* too few bytes to say */
	attribute(w, path, "found 4");
	assert_int_equal(w->found[0]->attribute.value, VALUE_UNKNOWN);
	set_value(w, path, name, right, 500);
	key = (struct content_key){RUN, {0, 2}, w->middle};
	content_xattr(&key, 6, value, 500);
	set_value(w, path, "user.recow.6", value, 20);
	attribute(w, path, "user.recow.6 must not be there");
	value_is(w, VALUE_OLDER, 0, 2, "an older value, set by operation 2");
	assert_int_equal(removexattr(full, "user.recow.6"), 0);
	silent(w, "hot");
}

static void wrong_xattrs(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->middle);
	unsigned char value[500];
	char full[4200];

	full_path(w, path, full);
	assert_int_equal(getxattr(full, "user.recow.3", value, sizeof(value)), sizeof(value));
	assert_int_equal(setxattr(full, "user.recow.3", value, 499, 0), 0);
	attribute(w, path, "xattr user.recow.3: expected 500 bytes, found 499");
	value[499] ^= 1;
	assert_int_equal(setxattr(full, "user.recow.3", value, 500, 0), 0);
	attribute(w, path, "xattr user.recow.3: 500 bytes are not those of operation");
	assert_int_equal(removexattr(full, "user.recow.3"), 0);
	attribute(w, path, "xattr user.recow.3 is missing");
	assert_true(w->found[0]->attribute.absent);
	value[499] ^= 1;
	assert_int_equal(setxattr(full, "user.recow.3", value, 500, 0), 0);
	assert_int_equal(setxattr(full, "user.recow.9", value, 5, 0), 0);
	attribute(w, path, "xattr user.recow.9 must not be there");
	assert_int_equal(removexattr(full, "user.recow.9"), 0);
	assert_int_equal(setxattr(full, "user.other", value, 5, 0), 0); /* not recow's */
	silent(w, "hot");
}

static void wrong_symlink_target(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->symlink);
	struct stat st = stat_of(w, path);
	char target[256] = {0};

	assert_int_equal(readlinkat(w->mount, path, target, sizeof(target)), 200);
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	target[100] = (char)(target[100] ^ 1);
	assert_int_equal(symlinkat(target, w->mount, path), 0);
	restore_mtime(w, path, &st);
	attribute(w, path, "target: expected \"");
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	target[100] = (char)(target[100] ^ 1);
	assert_int_equal(symlinkat(target, w->mount, path), 0);
	restore_mtime(w, path, &st);
	silent(w, "hot");
}

/* The target of another symbolic link, in place of its own. */
static void target_of_another(void **state)
{
	struct world *w = *state;
	const uint32_t other = make(w, 0, OBJECT_SYMLINK, OBJECT_ROOT, 11, 150);
	char own[256] = {0}, target[256] = {0};
	const char *path;
	struct stat st;

	learn_times(w);
	silent(w, "hot");
	path = path_of(w, 0, w->symlink);
	st = stat_of(w, path);
	assert_int_equal(readlinkat(w->mount, path, own, sizeof(own)), 200);
	assert_int_equal(readlinkat(w->mount, path_of(w, 0, other), target, sizeof(target)), 150);
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	assert_int_equal(symlinkat(target, w->mount, path), 0);
	restore_mtime(w, path, &st);
	run(w, "hot");
	assert_int_equal(w->count, 2); /* the size, too */
	for (unsigned int i = 0; i < w->count; i++) {
		const struct attribute_seen *seen = &w->found[i]->attribute;

		if (seen->which != ATTRIBUTE_TARGET)
			continue;
		assert_int_equal(seen->value, VALUE_FOREIGN);
		assert_int_equal(seen->object, other);
		assert_int_equal(seen->found, 150);
	}
	assert_int_equal(unlinkat(w->mount, path, 0), 0);
	assert_int_equal(symlinkat(own, w->mount, path), 0);
	restore_mtime(w, path, &st);
	learn_times(w);
	silent(w, "hot");
}

static void wrong_sizes(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->sparse); /* ends in a hole: longer or shorter, no byte differs */
	struct stat st = stat_of(w, path);
	char full[4200];

	full_path(w, path, full);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(truncate(full, (off_t)(3 * MiB + (i ? 5000 : -5000))), 0);
		restore_mtime(w, path, &st);
		attribute(w, path, "size: expected 3145728, found 31");
		is_about(w, ATTRIBUTE_SIZE, (uint64_t)(3 * MiB + (i ? 5000 : -5000)));
		run(w, "cold");
		only(w, FINDING_ATTRIBUTE, path);
	}
	assert_int_equal(truncate(full, 3 * MiB), 0);
	restore_mtime(w, path, &st);
	silent(w, "hot");
}

static void wrong_link_count(void **state)
{
	struct world *w = *state;
	const char *path = path_of(w, 0, w->middle);

	assert_int_equal(linkat(w->mount, path, w->mount, "lost+found", 0), 0);
	attribute(w, path, "link count: expected 1, found 2");
	is_about(w, ATTRIBUTE_LINKS, 2);
	assert_int_equal(unlinkat(w->mount, "lost+found", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_mode_and_owner), cmocka_unit_test(wrong_times),
		cmocka_unit_test(values_are_noted),     cmocka_unit_test(whose_xattr),
		cmocka_unit_test(wrong_xattrs),         cmocka_unit_test(wrong_symlink_target),
		cmocka_unit_test(target_of_another),    cmocka_unit_test(wrong_sizes),
		cmocka_unit_test(wrong_link_count),
	};

	if (geteuid() != 0)
		return 77; /* skipped: mounting needs root */
	return cmocka_run_group_tests_name("verify_attributes", tests, world_start, world_end);
}
