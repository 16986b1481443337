/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people read of a finding of each class, to the letter: a run directory made by hand, and the text that
 * must come of it in golden/CLASS.txt. After a change on purpose: RECOW_GOLDEN=write, and look at the diff.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/cli/account.h"
#include "src/finding/store.h"
#include "src/journal/file.h"
#include "src/ops/op.h"
#include "tests/unit/made_run.h"

#define KEY         0x1234ULL
#define SHARED_DIRS 2
#define VICTIM      30U /* object of worker 0 that most findings are about */
#define OTHER       31U /* object of worker 1 */

static json_t *description;

/* ---- the run */

static struct journal_record record(uint64_t operation, const char *op, uint32_t object, double at)
{
	return (struct journal_record){
		.operation = operation,
		.start = (uint64_t)(at * 1e9),
		.took = 42,
		.kind = op_by_name(op)->id,
		.args = {.object = object, .dir = OBJECT_ROOT, .name = nameref_make(object, 8, object)},
	};
}

static struct journal_record write_record(uint64_t operation, uint32_t object, double at, uint64_t offset,
					  uint32_t length)
{
	struct journal_record r = record(operation, "write", object, at);

	r.args.offset = offset;
	r.args.aux = length;
	r.answer = (int32_t)length;
	return r;
}

static void put_journal(uint32_t worker, const struct journal_record *r, size_t count)
{
	struct journal_writer *w;
	char dir[128];
	struct error e;

	snprintf(dir, sizeof(dir), "%s/journal", run);
	w = journal_writer_open(dir, worker, KEY, 0, &e);
	assert_non_null(w);
	for (size_t i = 0; i < count; i++) {
		struct journal_record one = r[i];

		one.check = journal_record_check(&one);
		assert_int_equal(journal_writer_append(w, &one, 1, &e), 0);
	}
	journal_writer_close(w);
}

static void put_journals(void)
{
	struct journal_record first[] = {
		record(1, "create", VICTIM, 0.1),
		write_record(2, VICTIM, 0.7, 0, 8192),
		record(3, "fsync", VICTIM, 0.8),
		write_record(4, VICTIM, 1.1, 4096, 65536),
		{.operation = 4, .start = 1500000000, .answer = 2, .flags = JOURNAL_MARK, .args.offset = 1},
		record(5, "chmod", VICTIM, 1.9),
		write_record(6, 40, 2.0, 0, 4096), /* of another object: no part of the story */
		record(7, "read", VICTIM, 2.05),
		{.operation = 7, .start = 2500000000, .answer = 2, .flags = JOURNAL_MARK, .args.offset = 2},
		write_record(8, VICTIM, 9, 0, 512), /* after the check */
	};
	struct journal_record second[] = {
		record(1, "create", OTHER, 0.2),
		write_record(2, OTHER, 0.9, 12288, 4096),
	};

	/* A name that is too long to be shown whole. */
	second[0].args.name = second[1].args.name = nameref_make(OTHER, 200, 7);
	first[0].args.aux = 0600;
	first[5].args.aux = 0644;
	first[7].args.aux = 4096;
	first[7].answer = 4096;
	put_journal(0, first, ARRAY_SIZE(first));
	put_journal(1, second, ARRAY_SIZE(second));
}

static int start(void **state)
{
	char path[128];

	if (make_run(state))
		return -1;
	snprintf(path, sizeof(path), "%s/journal", run);
	mkdir(path, 0755);
	description = json_pack("{s:I, s:[s,s,s,s,s,s], s:{s:s, s:i, s:i}}", "started_mono_ns",
				(json_int_t)1000000000000, "command", "migration-storm", "-t", "30s", "-o",
				"/tmp/x", "--mount-options=it's", "plan", "seed", "0xff", "workers", 2,
				"shared_dirs", SHARED_DIRS);
	put_journals();
	put("timeline.jsonl",
	    "{\"t\":0.0,\"event\":\"phase\",\"stage\":\"churn\",\"round\":1,\"phase\":\"dirty\"}\n"
	    "{\"t\":0.5,\"event\":\"change\",\"who\":\"sync\",\"path\":\"/proc/sys/vm/"
	    "dirty_ratio\",\"value\":"
	    "\"70\",\"errno\":0}\n"
	    "{\"t\":1.0,\"event\":\"phase\",\"stage\":\"churn\",\"round\":1,\"phase\":\"migrate\"}\n"
	    "{\"t\":1.2,\"event\":\"change\",\"who\":\"hotplug\",\"path\":\"/sys/devices/system/memory/"
	    "memory17/state\",\"value\":\"offline\",\"errno\":0}\n"
	    "{\"t\":1.3,\"event\":\"change\",\"who\":\"hotplug\",\"path\":\"/sys/devices/system/memory/"
	    "memory17/state\",\"value\":\"online_movable\",\"errno\":0}\n"
	    "{\"t\":1.4,\"event\":\"change\",\"who\":\"hotplug\",\"path\":\"/sys/devices/system/memory/"
	    "memory18/state\",\"value\":\"offline\",\"errno\":16}\n"
	    "not a line of JSON\n"
	    "{\"t\":1.99,\"event\":\"note\",\"who\":\"hotplug\",\"text\":\"cycle: 4 steps, 1 refused, 3 idle "
	    "(why), "
	    "92817 pages moved, 9016 of them seen dirty\"}\n"
	    "{\"t\":1.991,\"event\":\"note\",\"who\":\"hotplug\",\"text\":\"block 8 refused to go "
	    "offline\"}\n"
	    "{\"t\":2.0,\"event\":\"phase\",\"stage\":\"churn\",\"round\":1,\"phase\":\"storm\"}\n"
	    "{\"t\":2.1,\"event\":\"freeze\",\"who\":\"sync\",\"took\":0.1,\"errno\":0}\n"
	    "{\"t\":2.5,\"event\":\"phase\",\"stage\":\"verify\",\"round\":1,\"phase\":\"\"}\n"
	    "{\"t\":3.0,\"event\":\"change\",\"who\":\"hotplug\",\"path\":\"x\",\"value\":\"y\",\"errno\":0}"
	    "\n");
	put("kmsg.log",
	    "6,1,1000050000,-;raw: 0000000000000001 0000000000000001\n"
	    "4,2,1002300000,-;BTRFS warning (device loop0): something happened\n SUBSYSTEM=block\n"
	    "4,3,1009000000,-;BTRFS warning (device loop0): after the check\n");
	put("status.jsonl",
	    "{\"t\":1.0,\"commits\":3}\n{\"t\":2.0,\"commits\":5}\n{\"t\":3.0,\"commits\":9}\n");
	return 0;
}

static int end(void **state)
{
	json_decref(description);
	return remove_run(state);
}

/* ---- findings */

/* Escaped, as findings and the journal's reader have it. */
static const char *path_of(uint32_t object, char buf[300])
{
	char name[300] = "w0000/";
	size_t len = strlen(name);

	len += content_name(nameref_make(object, 8, object), 0, false, name + len);
	return bytes_escape(buf, 300, name, len);
}

/* One that fits every class; about() and its like make it particular. */
static struct finding *finding(enum finding_class class, const char *verifier, enum finding_place place,
			       const char *detail)
{
	struct finding *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->class = class;
	f->place = place;
	f->time = 2600000000;
	f->round = 1;
	f->still = true;
	snprintf(f->verifier, sizeof(f->verifier), "%s", verifier);
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
	return f;
}

static struct finding *about(struct finding *f)
{
	char path[300];

	f->object = VICTIM;
	snprintf(f->path, sizeof(f->path), "%s", path_of(VICTIM, path));
	return f;
}

static struct finding_range range(unsigned int start, unsigned int length, enum finding_class class)
{
	return (struct finding_range){
		.start = (uint16_t)start, .length = (uint16_t)length, .class = (uint8_t) class};
}

/* A wrong block of the victim: bytes [start, start + length) of it differ. */
static struct finding *block(enum finding_class class, unsigned int start, unsigned int length)
{
	struct finding *f = about(finding(class, "cold", SEEN_COLD, "4 KiB at 8192: what the verdict says"));

	snprintf(f->detail + strlen(f->detail), 100, "; first read directly, device at 1 wrong; now wrong");
	f->offset = 8192;
	f->length = 4096;
	f->operation = 4;
	f->expected_hash = 0x1111;
	f->found_hash = 0x2222;
	f->ranges = 1;
	f->range[0] = range(start, length, class);
	f->dumps = true;
	for (unsigned int i = 0; i < BLOCK_SIZE; i++) {
		f->expected[i] = (unsigned char)(i * 7 + 1);
		f->found[i] =
			i >= start && i < start + length ? (unsigned char)~f->expected[i] : f->expected[i];
	}
	f->fault = FAULT_DISK;
	f->looks = 4;
	f->look[0] = (struct finding_look){LOOK_DIRECT, SIGHT_WRONG, 0};
	f->look[1] = (struct finding_look){LOOK_DEVICE, SIGHT_WRONG, 0};
	f->look[2] = (struct finding_look){LOOK_DEVICE, SIGHT_RIGHT, 1};
	f->look[3] = (struct finding_look){LOOK_CACHE, SIGHT_RIGHT, 0};
	f->inode = 261;
	f->logical = 137756672;
	f->mirrors = 2;
	f->mirror[0].devid = 1;
	f->mirror[0].physical = 253493248;
	f->mirror[1].devid = 2;
	f->mirror[1].physical = 4096;
	f->page.known = true;
	f->page.pfn = 0x18b1b;
	f->page.flags = 1U << 2 | 1U << 3 | 1U << 5;
	f->page.block = 17;
	return f;
}

/* Takes over `f`. */
static void store(unsigned int number, struct finding *f)
{
	struct error e;

	if (finding_store(run, number, f, &e))
		fail_msg("%s", e.text);
	free(f);
}

/* ---- comparing */

static struct stories load(void)
{
	struct stories s;
	struct error e;

	if (account_load(&s, run, description, &e))
		fail_msg("%s", e.text);
	return s;
}

static char *text_of_all(void)
{
	struct stories s = load();
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	name_run(s.replay, sizeof(s.replay));
	account_print(&s, out);
	fclose(out);
	stories_free(&s);
	return text;
}

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

static void expect_golden(const char *name)
{
	char source[] = __FILE__, path[512], *expected, *text = text_of_all();
	const char *mode = getenv("RECOW_GOLDEN");

	snprintf(path, sizeof(path), "%s/golden/%s.txt", dirname(source), name);
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

/* ---- a golden text for each class */

static void zeroes(void **state)
{
	struct finding *f = block(FINDING_ZEROES, 0, BLOCK_SIZE);

	f->length = 65536;
	memset(f->found, 0, BLOCK_SIZE);
	store(1, f);
	expect_golden("zeroes");
}

static void stale(void **state)
{
	struct finding *f = block(FINDING_STALE, 0, BLOCK_SIZE);

	f->range[0].origin = (struct origin){0, 2};
	f->range[0].object = VICTIM;
	store(1, f);
	expect_golden("stale");
}

static void foreign(void **state)
{
	struct finding *f = block(FINDING_FOREIGN, 0, BLOCK_SIZE);

	f->range[0].origin = (struct origin){1, 2};
	f->range[0].object = OTHER;
	f->range[0].offset = 12288;
	f->fault = FAULT_BOTH;
	store(1, f);
	expect_golden("foreign");
}

/* Object 41 was written, cloned to 40, and that to the victim, which was then written over: the last write
 * was lost. What stands there is no stranger. */
static void cloned(void **state)
{
	struct journal_record r[] = {
		record(1, "create", VICTIM, 0.1),      write_record(2, 41, 0.2, 4096, 4096),
		record(3, "clone", 40, 0.3),           record(4, "clone_range", VICTIM, 0.4),
		write_record(5, VICTIM, 0.5, 0, 1000), write_record(6, VICTIM, 1.1, 8192, 4096),
	};
	struct finding *f = block(FINDING_FOREIGN, 0, BLOCK_SIZE);
	char path[128];

	r[2].args.dir2 = 41;
	r[3].args.dir2 = 40;
	r[3].args.offset = 4096ULL << 32 | 8192;
	r[3].args.aux = 4096;
	snprintf(path, sizeof(path), "%s/journal/w0000.000000.rjl", run);
	assert_int_equal(unlink(path), 0);
	put_journal(0, r, ARRAY_SIZE(r));
	f->operation = 6;
	f->range[0].origin = (struct origin){0, 2};
	f->range[0].object = 41;
	f->range[0].offset = 4096;
	store(1, f);
	expect_golden("cloned");
}

/* Operation 4 answered at 1.100042 s. A sync that began before counts for nothing; the first one behind it
 * was before any of the object's own. */
static void synced_by_an_injector(void **state)
{
	struct finding *f = block(FINDING_STALE, 0, BLOCK_SIZE);

	f->range[0].origin = (struct origin){0, 2};
	f->range[0].object = VICTIM;
	store(1, f);
	put("timeline.jsonl",
	    "{\"t\":0.0,\"event\":\"phase\",\"stage\":\"churn\",\"round\":1,\"phase\":\"dirty\"}\n"
	    "{\"t\":0.75,\"event\":\"sync\",\"who\":\"sync\",\"how\":\"syncfs\",\"from\":0.7000419}\n"
	    "{\"t\":0.9,\"event\":\"sync\",\"who\":\"sync\",\"how\":\"syncfs\",\"from\":0.85}\n"
	    "{\"t\":1.3,\"event\":\"sync\",\"who\":\"sync\",\"how\":\"syncfs\",\"from\":1.1}\n"
	    "{\"t\":1.4,\"event\":\"freeze\",\"who\":\"sync\",\"took\":0.1,\"frozen\":0.05,\"errno\":0}\n"
	    "{\"t\":1.5,\"event\":\"sync\",\"who\":\"sync\",\"how\":\"sync\",\"from\":1.3}\n");
	expect_golden("synced");
}

static void torn(void **state)
{
	struct finding *f = block(FINDING_TORN, 512, BLOCK_SIZE - 512);

	f->tear = 512;
	f->ranges = 2;
	f->range[0] = range(0, 512, FINDING_CLASSES);
	f->range[1] = range(512, BLOCK_SIZE - 512, FINDING_STALE);
	f->range[1].origin = (struct origin){0, 77}; /* an operation whose journal is gone */
	store(1, f);
	expect_golden("torn");
}

static void flipped(void **state)
{
	struct finding *f = block(FINDING_FLIPPED, 100, 1);

	f->range[0].bits = 1;
	f->found[100] = f->expected[100] ^ 4;
	f->fault = FAULT_CACHE;
	store(1, f);
	expect_golden("flipped");
}

static void shifted(void **state)
{
	struct finding *f = block(FINDING_SHIFTED, 512, 1024);

	f->range[0].origin = (struct origin){0, 4};
	f->range[0].object = VICTIM;
	f->range[0].offset = 8192;
	store(1, f);
	expect_golden("shifted");
}

static void garbage(void **state)
{
	struct finding *f = block(FINDING_GARBAGE, 0, BLOCK_SIZE);

	f->mirrors = 0;
	f->logical = 0;
	f->page.known = false;
	snprintf(f->not_on_disk, sizeof(f->not_on_disk), "not written out yet");
	store(1, f);
	expect_golden("garbage");
}

static void missing(void **state)
{
	store(1, about(finding(FINDING_MISSING, "hot", SEEN_HOT,
			       "the name is gone: No such file or directory")));
	expect_golden("missing");
}

/* No object stands behind it: its past is what was done under this name. */
static void extra(void **state)
{
	struct finding *f = about(finding(FINDING_EXTRA, "hot", SEEN_HOT, "a name that was never made"));

	f->object = 0;
	store(1, f);
	expect_golden("extra");
}

static void attribute(void **state)
{
	struct finding *f =
		about(finding(FINDING_ATTRIBUTE, "remount", SEEN_FRESH, "mode: expected 0644, found 0600"));

	f->operation = 5;
	f->attribute = (struct attribute_seen){.which = ATTRIBUTE_MODE, .found = 0600, .learned = 8};
	store(1, f);
	expect_golden("attribute");
}

static void answer(void **state)
{
	store(1, about(finding(FINDING_ANSWER, "chmod", SEEN_CHURN, "chmod(...) = -1 EPERM")));
	expect_golden("answer");
}

static void eio(void **state)
{
	struct finding *f =
		about(finding(FINDING_EIO, "cold", SEEN_COLD, "4096 bytes at 4096 can't be read"));

	f->offset = 4096;
	f->length = 4096;
	f->fault = FAULT_BOTH;
	f->looks = 2;
	f->look[0] = (struct finding_look){LOOK_DIRECT, SIGHT_UNREADABLE, 0};
	f->look[1] = (struct finding_look){LOOK_CACHE, SIGHT_UNREADABLE, 0};
	store(1, f);
	expect_golden("eio");
}

static void erofs(void **state)
{
	store(1, about(finding(FINDING_EROFS, "write", SEEN_CHURN, "pwrite(...) = -1 EROFS")));
	expect_golden("erofs");
}

static void kernel(void **state)
{
	store(1,
	      finding(FINDING_KERNEL, "kmsg", SEEN_LOG, "error: a bug of the kernel: BUG: Bad page state"));
	expect_golden("kernel");
}

static void hang(void **state)
{
	store(1, finding(FINDING_HANG, "guard", SEEN_CHURN, "worker 1: fsync for 120 s in btrfs_sync_file"));
	expect_golden("hang");
}

static void fsck(void **state)
{
	store(1,
	      finding(FINDING_FSCK, "fsck", SEEN_OFFLINE, "btrfs check ended with 1: a backref is missing"));
	expect_golden("fsck");
}

static void target(void **state)
{
	store(1,
	      finding(FINDING_TARGET, "remount", SEEN_FRESH, "the target could not be mounted again: EIO"));
	expect_golden("target");
}

static void harness(void **state)
{
	store(1, finding(FINDING_HARNESS, "hot", SEEN_HOT,
			 "the recorded state of worker 0 is damaged in memory"));
	expect_golden("harness");
}

/* ---- grouping */

static void expect_groups(unsigned int groups, unsigned int of_first)
{
	struct stories s = load();

	assert_int_equal(s.count, groups);
	assert_int_equal(s.story[0]->members, of_first);
	stories_free(&s);
}

static struct finding *block_at(uint64_t offset, enum finding_class class, const char *verifier)
{
	struct finding *f = block(class, 0, 16);

	f->offset = offset;
	snprintf(f->verifier, sizeof(f->verifier), "%s", verifier);
	return f;
}

static void one_place_seen_thrice(void **state)
{
	store(1, block_at(8192, FINDING_FLIPPED, "hot"));
	store(2, block_at(8192, FINDING_FLIPPED, "cold"));
	store(3, block_at(8192, FINDING_FLIPPED, "remount"));
	expect_groups(1, 3);
	expect_golden("thrice");
}

static void one_lost_write(void **state)
{
	store(1, block_at(8192, FINDING_STALE, "hot"));
	store(2, block_at(40960, FINDING_ZEROES, "hot")); /* of the same operation */
	expect_groups(1, 2);
}

static void two_flips_are_two(void **state)
{
	struct finding *other = block_at(8192, FINDING_FLIPPED, "hot");

	store(1, block_at(8192, FINDING_FLIPPED, "hot"));
	store(2, block_at(12288, FINDING_FLIPPED, "hot"));
	other->object++;
	store(3, other);
	expect_groups(3, 1);
}

static void names_of_one_directory(void **state)
{
	for (unsigned int i = 1; i <= 4; i++) {
		struct finding *f =
			finding(i == 2 ? FINDING_EXTRA : FINDING_MISSING, "hot", SEEN_HOT, "it is gone");

		f->object = i;
		snprintf(f->path, sizeof(f->path), i == 4 ? "w0000/b/name" : "w0000/a/name%u", i);
		store(i, f);
	}
	expect_groups(2, 3);
}

static void bad_copies_are_told_in_three_ways(void **state)
{
	store(1, finding(FINDING_FSCK, "scrub", SEEN_COLD, "scrub of device 1: 2 checksum errors"));
	store(2, finding(FINDING_EIO, "devstats", SEEN_NOWHERE, "2 more corruption errors"));
	store(3, finding(FINDING_EIO, "mirrors", SEEN_LOG, "error: csum failed"));
	store(4, finding(FINDING_EIO, "kmsg", SEEN_LOG, "error: bdev /dev/loop0 errs: wr 0, rd 0"));
	store(5, finding(FINDING_FSCK, "fsck", SEEN_OFFLINE, "btrfs check ended with 1"));
	expect_groups(2, 4);
}

/* A filesystem turns read-only once, whoever runs into it. */
static void read_only_is_one(void **state)
{
	store(1, about(finding(FINDING_EROFS, "write", SEEN_CHURN, "pwrite(...) = -1 EROFS")));
	store(2, finding(FINDING_EROFS, "kmsg", SEEN_LOG, "error: it went read-only: forced readonly"));
	store(3, finding(FINDING_EROFS, "scrub", SEEN_COLD,
			 "scrub of device 1 aborted (Read-only file system)"));
	expect_groups(1, 3);
}

/* Kernel trouble of two kinds stays two. */
static void different_complaints(void **state)
{
	store(1, finding(FINDING_KERNEL, "kmsg", SEEN_LOG, "fatal: an oops: one"));
	store(2, finding(FINDING_KERNEL, "kmsg", SEEN_LOG, "fatal: an oops: another"));
	store(3, finding(FINDING_KERNEL, "kmsg", SEEN_LOG, "fatal: an oops: one"));
	expect_groups(2, 2);
}

static void what_is_too_much_is_counted(void **state)
{
	struct stories s;

	for (unsigned int i = 1; i <= ACCOUNT_STORIES + 3; i++)
		store(i, block_at(i * 8192ULL, FINDING_FLIPPED, "hot"));
	s = load();
	assert_int_equal(s.count, ACCOUNT_STORIES);
	assert_int_equal(s.left_out, 3);
	assert_int_equal(s.findings, ACCOUNT_STORIES + 3);
	stories_free(&s);
}

/* ---- as JSON, and with less than all */

static void as_json(void **state)
{
	struct stories s;
	json_t *list, *j;

	stale(state);
	s = load();
	list = account_json(&s);
	assert_int_equal(json_array_size(list), 1);
	j = json_array_get(list, 0);
	assert_int_equal(json_array_size(json_object_get(j, "history")), STORY_PAST);
	assert_int_equal(json_array_size(json_object_get(j, "writers")), 2);
	assert_int_equal(json_array_size(json_object_get(j, "members")), 1);
	assert_int_equal(json_array_size(json_object_get(j, "kernel")), 1);
	assert_int_equal(json_integer_value(json_object_get(j, "commits")), 2);
	assert_string_equal(json_string_value(json_object_get(json_object_get(j, "finding"), "class")),
			    "stale");
	assert_non_null(strstr(json_string_value(json_object_get(j, "again")), "--seed 0xff"));
	assert_non_null(strstr(json_string_value(json_object_get(j, "replay")), run));
	json_decref(list);
	stories_free(&s);
}

/* A run directory of which only the findings are left. */
static void without_journals(void **state)
{
	char command[256];

	store(1, block(FINDING_STALE, 0, 16));
	snprintf(command, sizeof(command), "cd %s && rm -r journal timeline.jsonl kmsg.log status.jsonl",
		 run);
	assert_int_equal(system(command), 0);
	expect_golden("bare");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(zeroes),
		TEST(stale),
		TEST(foreign),
		TEST(cloned),
		TEST(synced_by_an_injector),
		TEST(torn),
		TEST(flipped),
		TEST(shifted),
		TEST(garbage),
		TEST(missing),
		TEST(extra),
		TEST(attribute),
		TEST(answer),
		TEST(eio),
		TEST(erofs),
		TEST(kernel),
		TEST(hang),
		TEST(fsck),
		TEST(target),
		TEST(harness),
		TEST(one_place_seen_thrice),
		TEST(one_lost_write),
		TEST(two_flips_are_two),
		TEST(names_of_one_directory),
		TEST(bad_copies_are_told_in_three_ways),
		TEST(read_only_is_one),
		TEST(different_complaints),
		TEST(what_is_too_much_is_counted),
		TEST(as_json),
		TEST(without_journals),
	};

	return cmocka_run_group_tests_name("story", tests, NULL, NULL);
}
