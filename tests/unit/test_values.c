/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose value a wrong attribute has: a journal made by hand, findings on one object of it, and what is said
 * of them. The text is compared to the letter with golden/values.txt (RECOW_GOLDEN=write as in test_story.c).
 */
#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "src/cli/account.h"
#include "src/finding/attribute.h"
#include "src/finding/store.h"
#include "src/journal/file.h"
#include "src/ops/table.h"
#include "tests/unit/made_run.h"

#define KEY    0x1234ULL
#define START  1700000000000000000ULL /* the run's, since the epoch */
#define VICTIM 30U
#define LINK   50U
#define SECOND 1000000000ULL
#define ABSENT (-1) /* a length: there is no such extended attribute */

static json_t *description;
static struct journal_record journal[2][64];
static unsigned int records[2];

/* ---- the journal: operation n of a worker begins n tenths of a second after the start */

static struct journal_record *add(uint32_t worker, enum op_id kind, uint32_t object, int32_t answer)
{
	struct journal_record *r = &journal[worker][records[worker]++];

	*r = (struct journal_record){
		.operation = records[worker],
		.start = records[worker] * SECOND / 10,
		.took = 50,
		.answer = answer,
		.kind = (uint16_t)kind,
		.args = {.object = object, .dir = OBJECT_ROOT, .name = nameref_make(object, 8, object)},
	};
	return r;
}

static void add_size(enum op_id kind, uint32_t object, uint64_t offset, uint32_t aux, int32_t answer)
{
	struct journal_record *r = add(0, kind, object, answer);

	r->args.offset = offset;
	r->args.aux = aux;
}

static void add_xattr(uint32_t worker, uint32_t object, uint32_t number, uint32_t length)
{
	struct journal_record *r = add(worker, OP_SETXATTR, object, 0);

	r->args.name2.number = number;
	r->args.aux = length;
}

static void add_names(enum op_id kind, uint32_t object, uint32_t name, uint32_t name2, uint32_t aux)
{
	struct journal_record *r = add(0, kind, object, 0);

	r->args.name = nameref_make(name, 8, name);
	r->args.dir2 = OBJECT_ROOT;
	r->args.name2 = nameref_make(name2, 8, name2);
	r->args.aux = aux;
}

/* Of the first worker; the numbers are those of the operations. */
static void make_journal(void)
{
	add(0, OP_CREATE, VICTIM, 0)->args.aux = 0640;            /* 1 */
	add_size(OP_APPEND, VICTIM, 0, 1000, 1000);               /* 2 */
	add_size(OP_APPEND, VICTIM, 1000, 500, 500);              /* 3 */
	add(0, OP_CHMOD, VICTIM, 0)->args.aux = 0600;             /* 4 */
	add_size(OP_CHOWN, VICTIM, 7, 6, 0);                      /* 5: 6:7 */
	add(0, OP_FSYNC, VICTIM, 0);                              /* 6 */
	add_size(OP_CHOWN, VICTIM, 9, 8, 0);                      /* 7: 8:9 */
	add(0, OP_CHMOD, VICTIM, 0)->args.aux = 0644;             /* 8 */
	add_size(OP_UTIMENSAT, VICTIM, 123456789, 0, 0);          /* 9 */
	add_size(OP_UTIMENSAT, VICTIM, UINT64_MAX, 0, 0);         /* 10: now */
	add_xattr(0, VICTIM, 3, 100);                             /* 11 */
	add_xattr(0, VICTIM, 3, 100);                             /* 12 */
	add_xattr(0, VICTIM, 4, 3);                               /* 13 */
	add_xattr(0, VICTIM, 4, 200);                             /* 14 */
	add(0, OP_REMOVEXATTR, VICTIM, 0)->args.name2.number = 4; /* 15 */
	add_xattr(0, VICTIM, 4, 50);                              /* 16 */
	add_names(OP_LINK, VICTIM, VICTIM, 60, 0);                /* 17: 2 links */
	add_names(OP_UNLINK, VICTIM, 60, 0, 0);                   /* 18: 1 link */
	add_size(OP_CHMOD, VICTIM, 0, 0777, -ENOSPC);             /* 19 */
	add_xattr(0, 31, 3, 100);                                 /* 20: another object's */
	add(0, OP_SYMLINK, 51, 0)->args.aux = 40;                 /* 21 */
	add(0, OP_SYMLINK, 52, 0)->args.aux = 40;                 /* 22 */
	add(0, OP_SYMLINK, LINK, 0)->args.aux = 40;               /* 23 */
	add_names(OP_RENAME_OVER, LINK, LINK, 51, 51);            /* 24: in place of object 51 */
	add(0, OP_CREATE, 33, 0);                                 /* 25 */
	add_size(OP_TRUNCATE, 33, 5000, 0, 0);                    /* 26 */
	add_size(OP_TRUNCATE, 33, 100, 0, -ENOSPC);               /* 27: anything between */
	add(0, OP_CHMOD, VICTIM, 0)->args.aux = 0555;             /* 28: a snapshot doesn't have it */
	add(1, OP_SYMLINK, 70, 0)->args.aux = 40;                 /* of the second worker, 1 */
}

/* As if parts before it had been dropped. */
static void cut_head(const char *dir, uint32_t worker, uint64_t first)
{
	char name[JOURNAL_NAME_LEN], path[256];
	struct journal_header h;
	FILE *file;

	journal_part_name(name, worker, 0);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fread(&h, sizeof(h), 1, file), 1);
	h.first = first;
	h.check = journal_header_check(&h);
	rewind(file);
	assert_int_equal(fwrite(&h, sizeof(h), 1, file), 1);
	fclose(file);
}

static void put_journal(uint32_t worker, unsigned int from)
{
	struct journal_writer *w;
	char dir[128];
	struct error e;

	snprintf(dir, sizeof(dir), "%s/journal", run);
	mkdir(dir, 0755);
	w = journal_writer_open(dir, worker, KEY, START, &e);
	assert_non_null(w);
	for (unsigned int i = from; i < records[worker]; i++) {
		journal[worker][i].check = journal_record_check(&journal[worker][i]);
		assert_int_equal(journal_writer_append(w, &journal[worker][i], 1, &e), 0);
	}
	journal_writer_close(w);
	cut_head(dir, worker, from + 1);
}

static int start(void **state)
{
	if (make_run(state))
		return -1;
	memset(records, 0, sizeof(records));
	make_journal();
	description = json_pack("{s:[s], s:{s:s, s:i, s:i}}", "command", "x", "plan", "seed", "0xff",
				"workers", 2, "shared_dirs", 1);
	return 0;
}

static int end(void **state)
{
	json_decref(description);
	return remove_run(state);
}

/* ---- findings */

static unsigned int stored;

static void store(uint32_t object, const struct attribute_seen *seen, const char *detail)
{
	struct finding *f = calloc(1, sizeof(*f));
	struct error e;

	assert_non_null(f);
	f->class = FINDING_ATTRIBUTE;
	f->place = SEEN_FRESH;
	f->time = 5 * SECOND;
	f->object = object;
	f->operation = 19;
	f->attribute = *seen;
	if (!f->attribute.learned)
		f->attribute.learned = 1000;
	snprintf(f->verifier, sizeof(f->verifier), "remount");
	snprintf(f->path, sizeof(f->path), "w0000/x%u", object);
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
	if (finding_store(run, ++stored, f, &e))
		fail_msg("%s", e.text);
	free(f);
}

static struct attribute_seen number(enum finding_attribute which, uint64_t found)
{
	return (struct attribute_seen){.which = (uint8_t)which, .found = found};
}

/* The value that operation `op` of a worker gave to attribute `as` of an object, or its first `length` bytes,
 * found as attribute `number` of the victim and judged as the verifier does it. */
static struct attribute_seen xattr(uint32_t worker, uint64_t op, uint32_t object, uint32_t as,
				   uint32_t number, int length)
{
	const struct content_key key = {KEY, {worker, op}, object};
	struct attribute_seen seen = {.which = ATTRIBUTE_XATTR, .number = number, .learned = 1000};
	unsigned char value[200];

	seen.absent = length == ABSENT;
	if (seen.absent)
		return seen;
	content_xattr(&key, as, value, (size_t)length);
	attribute_judge_xattr(&seen, KEY, 0, VICTIM, 12, value, (size_t)length);
	return seen;
}

static struct attribute_seen target(uint32_t worker, uint64_t op, uint32_t object)
{
	const struct content_key key = {KEY, {worker, op}, object};
	struct attribute_seen seen = {.which = ATTRIBUTE_TARGET};
	char text[64];

	content_symlink(&key, text, 40);
	attribute_bytes(&seen, text, 40);
	return seen;
}

/* One finding in a run of its own; what its story says of it. Nothing of `set` and `replaced` is 0. */
static void expect_of(uint32_t object, struct attribute_seen seen, enum finding_value value, uint64_t set,
		      uint64_t replaced)
{
	const struct story_value *v;
	char command[128];
	struct stories s;
	struct error e;

	snprintf(command, sizeof(command), "rm -f %s/findings.jsonl", run);
	assert_int_equal(system(command), 0);
	stored = 0;
	store(object, &seen, "x");
	if (account_load(&s, run, description, &e))
		fail_msg("%s", e.text);
	assert_int_equal(s.story[0]->values, 1);
	v = &s.story[0]->value[0];
	if (v->seen.value != value || v->set.operation != set || v->replaced.operation != replaced)
		fail_msg("%s %llu: %s by %llu until %llu, not %s by %llu until %llu",
			 attribute_name((enum finding_attribute)seen.which), (unsigned long long)seen.found,
			 value_name((enum finding_value)v->seen.value), (unsigned long long)v->set.operation,
			 (unsigned long long)v->replaced.operation, value_name(value),
			 (unsigned long long)set, (unsigned long long)replaced);
	assert_int_equal(v->why != NULL, value == VALUE_UNKNOWN);
	stories_free(&s);
}

static void expect(struct attribute_seen seen, enum finding_value value, uint64_t set, uint64_t replaced)
{
	expect_of(VICTIM, seen, value, set, replaced);
}

/* ---- numbers */

static void older_numbers(void **state)
{
	put_journal(0, 0);
	expect(number(ATTRIBUTE_SIZE, 0), VALUE_OLDER, 1, 2);
	expect(number(ATTRIBUTE_SIZE, 1000), VALUE_OLDER, 2, 3);
	expect(number(ATTRIBUTE_MODE, 0640), VALUE_OLDER, 1, 4);
	expect(number(ATTRIBUTE_MODE, 0600), VALUE_OLDER, 4, 8);
	expect(number(ATTRIBUTE_OWNER, 0), VALUE_OLDER, 1, 5);
	expect(number(ATTRIBUTE_OWNER, 6), VALUE_OLDER, 5, 7);
	expect(number(ATTRIBUTE_GROUP, 7), VALUE_OLDER, 5, 7);
	expect(number(ATTRIBUTE_LINKS, 2), VALUE_OLDER, 17, 18);
	/* What was refused for lack of space. */
	expect(number(ATTRIBUTE_MODE, 0777), VALUE_OLDER, 19, 28);
}

static void numbers_that_were_never_ours(void **state)
{
	put_journal(0, 0);
	expect(number(ATTRIBUTE_SIZE, 999), VALUE_NEVER, 0, 0);
	expect(number(ATTRIBUTE_MODE, 0641), VALUE_NEVER, 0, 0);
	expect(number(ATTRIBUTE_OWNER, 7), VALUE_NEVER, 0, 0);
	expect(number(ATTRIBUTE_GROUP, 6), VALUE_NEVER, 0, 0);
	expect(number(ATTRIBUTE_LINKS, 3), VALUE_NEVER, 0, 0);
}

/* Of one value that it had twice the later time counts. */
static void the_newest_of_two(void **state)
{
	add(0, OP_CHMOD, VICTIM, 0)->args.aux = 0600; /* 29 */
	add(0, OP_CHMOD, VICTIM, 0)->args.aux = 0644; /* 30 */
	put_journal(0, 0);
	expect(number(ATTRIBUTE_MODE, 0600), VALUE_OLDER, 29, 30);
}

static void times(void **state)
{
	const uint64_t third = START + 3 * SECOND / 10;

	put_journal(0, 0);
	expect(number(ATTRIBUTE_MTIME, 123456789), VALUE_OLDER, 9, 10);
	expect(number(ATTRIBUTE_MTIME, 123456790), VALUE_NEVER, 0, 0);
	expect(number(ATTRIBUTE_MTIME, third), VALUE_OLDER, 3, 9);
	expect(number(ATTRIBUTE_MTIME, third + 49000), VALUE_OLDER, 3, 9);
	/* The coarse clock lags behind. */
	expect(number(ATTRIBUTE_MTIME, third - 9 * 1000000), VALUE_OLDER, 3, 9);
	expect(number(ATTRIBUTE_MTIME, third - 50 * 1000000), VALUE_NEVER, 0, 0);
	expect(number(ATTRIBUTE_MTIME, third + 50 * 1000000), VALUE_NEVER, 0, 0);
	/* The two clocks may drift. */
	expect(number(ATTRIBUTE_MTIME, third + 50000 + 3 * SECOND / 10 / 3000), VALUE_OLDER, 3, 9);
}

/* The snapshot was taken behind operation 19. */
static void later_than_a_snapshot(void **state)
{
	struct attribute_seen seen = number(ATTRIBUTE_MODE, 0555);

	put_journal(0, 0);
	seen.learned = 19;
	expect(seen, VALUE_LATER, 28, 0);
	seen.found = 0600;
	expect(seen, VALUE_OLDER, 4, 8);
}

/* A number is used again: what the object before had counts for nothing. */
static void of_the_object_before(void **state)
{
	add(0, OP_UNLINK, VICTIM, 0);                  /* 29 */
	add(0, OP_CREATE, VICTIM, 0)->args.aux = 0400; /* 30 */
	add(0, OP_CHMOD, VICTIM, 0)->args.aux = 0440;  /* 31 */
	put_journal(0, 0);
	expect(number(ATTRIBUTE_MODE, 0644), VALUE_NEVER, 0, 0);
	expect(number(ATTRIBUTE_MODE, 0400), VALUE_OLDER, 30, 31);
}

/* ---- extended attributes */

static void values_of_xattrs(void **state)
{
	put_journal(0, 0);
	expect(xattr(0, 11, VICTIM, 3, 3, 100), VALUE_OLDER, 11, 12);
	expect(xattr(0, 11, VICTIM, 3, 3, 60), VALUE_PART, 11, 0);
	expect(xattr(0, 12, VICTIM, 3, 3, 60), VALUE_PART, 12, 0);
	expect(xattr(0, 13, VICTIM, 4, 4, 3), VALUE_OLDER, 13,
	       14); /* too short to tell without the journal */
	expect(xattr(0, 14, VICTIM, 4, 4, 200), VALUE_OLDER, 14, 15);
	expect(xattr(0, 77, VICTIM, 4, 4, 4), VALUE_NEVER, 0, 0);
	expect(xattr(0, 20, 31, 3, 3, 100), VALUE_FOREIGN, 20, 0);
	expect(xattr(0, 20, 31, 3, 3, 10), VALUE_FOREIGN, 20, 0);      /* which object: the journal knows */
	expect(xattr(0, 14, VICTIM, 4, 3, 200), VALUE_FOREIGN, 14, 0); /* another attribute's */
	expect(xattr(1, 5, 31, 3, 3, 100), VALUE_FOREIGN, 5, 0);
}

static void missing_xattrs(void **state)
{
	put_journal(0, 0);
	expect(xattr(0, 0, 0, 0, 3, ABSENT), VALUE_OLDER, 1, 11);
	expect(xattr(0, 0, 0, 0, 4, ABSENT), VALUE_OLDER, 15, 16);
}

static void xattrs_of_nobody(void **state)
{
	struct attribute_seen seen = {.which = ATTRIBUTE_XATTR, .number = 3, .learned = 1000};

	put_journal(0, 0);
	attribute_judge_xattr(&seen, KEY, 0, VICTIM, 12, "0123456789abcdef", 16);
	assert_int_equal(seen.value, VALUE_NEVER);
	expect(seen, VALUE_NEVER, 0, 0);
	seen.value = VALUE_UNKNOWN;
	attribute_judge_xattr(&seen, KEY, 0, VICTIM, 12, "012", 3);
	assert_int_equal(seen.value, VALUE_UNKNOWN);
	expect(seen, VALUE_NEVER, 0, 0);
}

/* ---- targets of symbolic links */

static void targets(void **state)
{
	put_journal(0, 0);
	put_journal(1, 0);
	expect_of(LINK, target(0, 21, 51), VALUE_OLDER, 21, 24); /* of what had its name */
	expect_of(LINK, target(0, 22, 52), VALUE_FOREIGN, 22, 0);
	expect_of(LINK, target(1, 1, 70), VALUE_FOREIGN, 1, 0); /* another worker's */
	expect_of(LINK, target(0, 99, 51), VALUE_NEVER, 0, 0);
}

/* ---- what can't be told */

static void without_the_head_of_the_journal(void **state)
{
	put_journal(0, 5);
	expect(number(ATTRIBUTE_MODE, 0640), VALUE_UNKNOWN, 0, 0);
	expect(number(ATTRIBUTE_OWNER, 8), VALUE_UNKNOWN, 0, 0); /* what should be there */
	expect(number(ATTRIBUTE_LINKS, 2), VALUE_UNKNOWN, 0, 0);
	expect(number(ATTRIBUTE_MTIME, 123456789), VALUE_OLDER, 9, 10);
	/* The bytes tell by themselves. */
	expect(xattr(0, 2, VICTIM, 3, 3, 100), VALUE_OLDER, 2, 0);
	expect_of(LINK, target(0, 98, 51), VALUE_UNKNOWN, 0, 0);
	/* It was made in what is left. */
	expect_of(33, number(ATTRIBUTE_MODE, 0123), VALUE_NEVER, 0, 0);
}

static void without_a_journal(void **state)
{
	expect(number(ATTRIBUTE_MODE, 0640), VALUE_UNKNOWN, 0, 0);
}

static void behind_a_failure(void **state)
{
	put_journal(0, 0);
	expect_of(33, number(ATTRIBUTE_SIZE, 5000), VALUE_UNKNOWN, 0, 0);
	expect_of(33, number(ATTRIBUTE_SIZE, 0), VALUE_OLDER, 25, 26);
	expect_of(33, number(ATTRIBUTE_SIZE, 100), VALUE_OLDER, 27, 0);
	expect_of(33, number(ATTRIBUTE_SIZE, 300), VALUE_UNKNOWN, 0, 0);
	expect_of(33, number(ATTRIBUTE_MODE, 0123), VALUE_NEVER, 0, 0);
}

/* ---- the text */

static char *read_file(const char *path)
{
	char *text = calloc(1, 64 * KiB);
	FILE *in = fopen(path, "r");

	assert_non_null(text);
	if (!in)
		fail_msg("no %s", path);
	assert_true(fread(text, 1, 64 * KiB - 1, in) > 0);
	fclose(in);
	return text;
}

static char *text_of_all(void)
{
	struct stories s;
	struct error e;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (account_load(&s, run, description, &e))
		fail_msg("%s", e.text);
	name_run(s.replay, sizeof(s.replay));
	account_print(&s, out);
	fclose(out);
	stories_free(&s);
	return text;
}

static void as_people_read_it(void **state)
{
	struct attribute_seen seen[] = {
		number(ATTRIBUTE_MODE, 0600),   number(ATTRIBUTE_SIZE, 999),
		xattr(0, 0, 0, 0, 4, ABSENT),   xattr(0, 20, 31, 3, 3, 100),
		xattr(0, 12, VICTIM, 3, 3, 60), number(ATTRIBUTE_MTIME, START + SECOND / 5),
	};
	static const char *const details[] = {
		"mode: expected 0644, found 0600",
		"size: expected 1500, found 999",
		"xattr user.recow.4 is missing",
		"xattr user.recow.3: 100 bytes are not those of operation 12",
		"xattr user.recow.3: expected 100 bytes, found 60",
		"mtime: expected ...",
	};
	char source[] = __FILE__, path[512], *expected, *text;
	const char *mode = getenv("RECOW_GOLDEN");
	struct attribute_seen other[] = {target(0, 22, 52), number(ATTRIBUTE_SIZE, 300)};

	put_journal(0, 0);
	put_journal(1, 0);
	stored = 0;
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		store(VICTIM, &seen[i], details[i]);
		store(VICTIM, &seen[i], details[i]); /* seen twice, told once */
	}
	store(LINK, &other[0], "target: expected \"a\", found \"b\"");
	store(33, &other[1], "size: expected 5000, found 300");
	text = text_of_all();
	snprintf(path, sizeof(path), "%s/golden/values.txt", dirname(source));
	if (mode && strcmp(mode, "write") == 0) {
		FILE *out = fopen(path, "w");

		assert_non_null(out);
		fputs(text, out);
		fclose(out);
	}
	expected = read_file(path);
	assert_string_equal(text, expected);
	free(expected);
	free(text);
}

static void as_json(void **state)
{
	struct attribute_seen seen = number(ATTRIBUTE_MODE, 0600);
	struct stories s;
	json_t *list, *v;
	struct error e;

	put_journal(0, 0);
	stored = 0;
	store(VICTIM, &seen, "mode: x");
	assert_int_equal(account_load(&s, run, description, &e), 0);
	list = account_json(&s);
	v = json_array_get(json_object_get(json_array_get(list, 0), "values"), 0);
	assert_string_equal(json_string_value(json_object_get(v, "attribute")), "mode");
	assert_string_equal(json_string_value(json_object_get(v, "value")), "older");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "set"), "operation")), 4);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "should"), "operation")), 28);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "replaced"), "operation")), 8);
	assert_true(json_is_null(json_object_get(v, "why")));
	json_decref(list);
	stories_free(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(older_numbers),
		TEST(numbers_that_were_never_ours),
		TEST(the_newest_of_two),
		TEST(times),
		TEST(later_than_a_snapshot),
		TEST(of_the_object_before),
		TEST(values_of_xattrs),
		TEST(missing_xattrs),
		TEST(xattrs_of_nobody),
		TEST(targets),
		TEST(without_the_head_of_the_journal),
		TEST(without_a_journal),
		TEST(behind_a_failure),
		TEST(as_people_read_it),
		TEST(as_json),
	};

	return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
