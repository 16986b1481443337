/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths at the time of each journal record, with and without the journal's head. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "src/base/units.h"
#include "src/cli/namer.h"
#include "src/journal/file.h"
#include "tests/unit/unit.h"

#define SHARED_DIRS 2
#define DIR_A       20
#define DIR_B       21
#define FILE_F      30

static char run[64];

static int make_run(void **state)
{
	char path[128];

	snprintf(run, sizeof(run), "/tmp/recow-namer-XXXXXX");
	if (!mkdtemp(run))
		return -1;
	snprintf(path, sizeof(path), "%s/journal", run);
	if (mkdir(path, 0755))
		return -1;
	snprintf(path, sizeof(path), "%s/model", run);
	return mkdir(path, 0755);
}

static int remove_run(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", run);
	return system(command);
}

static struct nameref ref(uint32_t number)
{
	return nameref_make(number, 12, number);
}

static struct journal_record record(uint64_t operation, const char *op, uint32_t object, uint32_t dir,
				    uint32_t name)
{
	return (struct journal_record){
		.operation = operation,
		.kind = op_by_name(op)->id,
		.args = {.object = object, .dir = dir, .name = ref(name)},
	};
}

static struct journal_record moved(uint64_t operation, uint32_t object, uint32_t dir, uint32_t name,
				   uint32_t dir2, uint32_t name2)
{
	struct journal_record r = record(operation, "rename", object, dir, name);

	r.args.dir2 = dir2;
	r.args.name2 = ref(name2);
	return r;
}

static void write_journal(struct journal_record *records, size_t count)
{
	struct journal_writer *w;
	char dir[128];
	struct error e;

	snprintf(dir, sizeof(dir), "%s/journal", run);
	for (size_t i = 0; i < count; i++) /* the ring does this in a run */
		records[i].check = (uint32_t)XXH3_64bits(&records[i], sizeof(records[i]));
	w = journal_writer_open(dir, 0, 1, 0, &e);
	assert_non_null(w);
	assert_int_equal(journal_writer_append(w, records, count, &e), 0);
	journal_writer_close(w);
}

/* As if parts before this one had been dropped. */
static void drop_head(uint64_t first)
{
	struct journal_header h;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/journal/w0000.000000.rjl", run);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
	h.first = first;
	h.check = (uint32_t)XXH3_64bits(&h, offsetof(struct journal_header, check));
	assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
	close(fd);
}

/* "w0000/<name 1>/<name 2>" as names of this worker are. */
static void expect_path(const char *found, const char *top, uint32_t first, uint32_t second)
{
	char want[2048], name[256], escaped[1024];
	size_t used = (size_t)snprintf(want, sizeof(want), "%s", top);
	const uint32_t numbers[] = {first, second};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!numbers[i])
			continue;
		bytes_escape(escaped, sizeof(escaped), name, content_name(ref(numbers[i]), 0, false, name));
		used += (size_t)snprintf(want + used, sizeof(want) - used, "/%s", escaped);
	}
	assert_string_equal(found, want);
}

static void path_of(const struct namer *n, const struct journal_record *r, unsigned int which, char *out)
{
	static char paths[2][4 * 4096];

	assert_true(namer_paths(n, r, paths) > which);
	snprintf(out, 4 * 4096, "%s", paths[which]);
}

static void directories_are_followed(void **state)
{
	struct journal_record r[] = {
		record(1, "mkdir", DIR_A, OBJECT_ROOT, 1),       record(2, "create", FILE_F, DIR_A, 2),
		moved(3, DIR_A, OBJECT_ROOT, 1, OBJECT_ROOT, 3), record(4, "write", FILE_F, DIR_A, 2),
		moved(5, DIR_A, OBJECT_ROOT, 3, OBJECT_ROOT, 4), record(6, "write", FILE_F, DIR_A, 2),
	};
	char path[4 * 4096];
	struct namer n;
	struct error e;

	r[4].answer = -5; /* refused: stays where it is */
	write_journal(r, ARRAY_SIZE(r));
	assert_int_equal(namer_begin(&n, run, 0, SHARED_DIRS, &e), 0);
	namer_learn(&n, &r[0]);
	path_of(&n, &r[1], 0, path);
	expect_path(path, "w0000", 1, 2);
	path_of(&n, &r[2], 0, path);
	expect_path(path, "w0000", 1, 0);
	path_of(&n, &r[2], 1, path);
	expect_path(path, "w0000", 3, 0);
	namer_learn(&n, &r[2]);
	path_of(&n, &r[3], 0, path);
	expect_path(path, "w0000", 3, 2);
	namer_learn(&n, &r[4]);
	path_of(&n, &r[5], 0, path);
	expect_path(path, "w0000", 3, 2);
	namer_end(&n);
}

static void a_dropped_head_is_made_up_for_by_the_first_mention(void **state)
{
	struct journal_record r[] = {
		record(1000, "write", FILE_F, DIR_A, 2), /* who knows where DIR_A is? */
		moved(1001, DIR_A, OBJECT_ROOT, 7, OBJECT_ROOT, 8),
		record(1002, "write", FILE_F, DIR_A, 2),
		record(1003, "write", FILE_F, DIR_B, 2),
	};
	char path[4 * 4096];
	struct namer n;
	struct error e;

	write_journal(r, ARRAY_SIZE(r));
	drop_head(1000);
	assert_int_equal(namer_begin(&n, run, 0, SHARED_DIRS, &e), 0);
	path_of(&n, &r[0], 0, path);
	expect_path(path, "w0000", 7, 2);
	namer_learn(&n, &r[1]);
	path_of(&n, &r[2], 0, path);
	expect_path(path, "w0000", 8, 2);
	path_of(&n, &r[3], 0, path);
	expect_path(path, "?21", 2, 0); /* nobody ever says */
	namer_end(&n);
}

/* Two directories change places, before and behind the head that is left. */
static void exchanged_directories_are_followed(void **state)
{
	struct journal_record r[] = {
		record(1000, "write", FILE_F, DIR_A, 2),
		record(1001, "exchange", DIR_B, OBJECT_ROOT, 7),
		record(1002, "write", FILE_F, DIR_A, 2),
		record(1003, "write", FILE_F, DIR_B, 2),
		record(1004, "write", FILE_F, OBJECT_HELD, 2),
		record(1005, "linkat", FILE_F, OBJECT_HELD, 2),
	};
	char path[4 * 4096], label[64];
	struct namer n;
	struct error e;

	r[1].args.dir2 = OBJECT_ROOT;
	r[1].args.name2 = ref(8);
	r[1].args.aux = DIR_A;
	r[5].args.dir2 = DIR_A;
	r[5].args.name2 = ref(9);
	write_journal(r, ARRAY_SIZE(r));
	drop_head(1000);
	assert_int_equal(namer_begin(&n, run, 0, SHARED_DIRS, &e), 0);
	path_of(&n, &r[0], 0, path);
	expect_path(path, "w0000", 8, 2);
	path_of(&n, &r[1], 1, path);
	expect_path(path, "w0000", 8, 0);
	namer_learn(&n, &r[1]);
	path_of(&n, &r[2], 0, path);
	expect_path(path, "w0000", 7, 2);
	path_of(&n, &r[3], 0, path);
	expect_path(path, "w0000", 8, 2);
	snprintf(label, sizeof(label), "w0000/(unlinked #%u)", FILE_F);
	path_of(&n, &r[4], 0, path);
	assert_string_equal(path, label);
	path_of(&n, &r[5], 0, path);
	assert_string_equal(path, label);
	path_of(&n, &r[5], 1, path);
	expect_path(path, "w0000", 7, 9);
	namer_end(&n);
}

/* Save a model with one directory; returns its object and the reference of its name. */
static uint32_t save_model(struct nameref *name)
{
	const size_t bytes = 8 * MiB;
	struct page_pool *pool;
	struct frozen *frozen;
	struct model_create what = {.type = OBJECT_DIR, .parent = OBJECT_ROOT, .mode = 0755};
	char path[128];
	struct model m;
	struct error e;
	uint32_t object;
	void *mapping;
	int fd;

	mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(mapping != MAP_FAILED);
	pool = page_pool_init(mapping, bytes);
	assert_int_equal(model_init(&m, pool, 0, 1, SHARED_DIRS, &e), 0);
	what.name = ref(model_next_name(&m));
	*name = what.name;
	object = model_create(&m, 1, &what);
	snprintf(path, sizeof(path), "%s/model/w0000.model", run);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	assert_true(fd >= 0);
	frozen = model_freeze(&m);
	assert_non_null(frozen);
	assert_int_equal(model_save(&frozen->view, fd, &e), 0);
	model_release(frozen);
	model_destroy(&m);
	close(fd);
	munmap(mapping, bytes);
	return object;
}

static void what_the_journal_never_mentions_stands_where_the_checkpoint_has_it(void **state)
{
	struct nameref name;
	uint32_t dir = save_model(&name);
	struct journal_record r = record(1000, "write", FILE_F, dir, 2);
	char path[4 * 4096];
	struct namer n;
	struct error e;

	write_journal(&r, 1);
	drop_head(1000);
	assert_int_equal(namer_begin(&n, run, 0, SHARED_DIRS, &e), 0);
	path_of(&n, &r, 0, path);
	expect_path(path, "w0000", name.number, 2);
	namer_end(&n);
}

static void anchors_have_their_own_names(void **state)
{
	struct journal_record r[] = {
		record(1, "create", FILE_F, OBJECT_FIRST_SHARED + 1, 2),
		record(2, "fsync", OBJECT_ROOT, OBJECT_NONE, 0),
	};
	char path[4 * 4096];
	struct namer n;
	struct error e;

	r[0].flags = JOURNAL_SHARED;
	r[1].args.name = (struct nameref){0};
	write_journal(r, ARRAY_SIZE(r));
	assert_int_equal(namer_begin(&n, run, 0, SHARED_DIRS, &e), 0);
	path_of(&n, &r[0], 0, path);
	assert_memory_equal(path, "shared/d01/", 11);
	path_of(&n, &r[1], 0, path);
	assert_string_equal(path, "w0000");
	namer_end(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(directories_are_followed, make_run, remove_run),
		cmocka_unit_test_setup_teardown(a_dropped_head_is_made_up_for_by_the_first_mention, make_run,
						remove_run),
		cmocka_unit_test_setup_teardown(
			what_the_journal_never_mentions_stands_where_the_checkpoint_has_it, make_run,
			remove_run),
		cmocka_unit_test_setup_teardown(exchanged_directories_are_followed, make_run, remove_run),
		cmocka_unit_test_setup_teardown(anchors_have_their_own_names, make_run, remove_run),
	};

	return cmocka_run_group_tests_name("namer", tests, NULL, NULL);
}
