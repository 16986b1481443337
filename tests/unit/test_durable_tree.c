/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree against what its journal says was durable: real operations in a directory, what is on the disk then
 * changed as a power cut, or a bug, would leave it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/journal/file.h"
#include "src/ops/table.h"
#include "tests/unit/made_run.h"
#include "tests/unit/ops_world.h"
#include "verify/durable.h"

/* A run of one worker that ended amid a round, of which all is known. */
struct cut {
	struct world w;
	char dir[80];
	struct journal_writer *journal;
	uint64_t start;
	struct op_args file; /* that it made */
	char path[4200];
	struct verify_counters seen;
	struct finding found; /* the last one */
	unsigned int findings;
};

static const struct workload only_files = {
	.name = "files",
	.mix = (const struct weight[]){{"create", 1}, {NULL, 0}},
	.shape = {.files = 8, .dirs = 1, .size = {1, 64 * KiB}, .write = {1, 16 * KiB}},
};

static void journal(struct cut *c, const struct op *op, const struct op_args *args, int64_t answer)
{
	struct journal_record r = {
		.operation = c->w.ctx.operation,
		.start = clock_ns(CLOCK_REALTIME) - c->start,
		.answer = (int32_t)answer,
		.kind = op->id,
		.args = *args,
	};
	struct error e;

	r.check = journal_record_check(&r);
	assert_int_equal(journal_writer_append(c->journal, &r, 1, &e), 0);
}

static void act(struct cut *c, const struct op *op, const struct op_args *args)
{
	struct op_answer a = {0};

	op->call(&c->w.ctx, args, &a);
	op->learn(&c->w.ctx, args, &a);
	assert_true(a.ret >= 0);
	assert_int_equal(c->w.findings, 0);
	journal(c, op, args, a.ret);
}

/* On the file. */
static void next(struct cut *c, const struct op *op, uint64_t offset, uint32_t aux)
{
	struct op_args args = c->file;

	args.offset = offset;
	args.aux = aux;
	c->w.ctx.operation++;
	act(c, op, &args);
}

static void begin(struct cut *c)
{
	struct error e;
	char path[128];

	assert_int_equal(make_run(NULL), 0);
	snprintf(path, sizeof(path), "%s/journal", run);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(c->dir, sizeof(c->dir), "%s/target", run);
	assert_int_equal(mkdir(c->dir, 0700), 0);
	world_open(&c->w, c->dir, &only_files, 3);
	assert_true(mkdirat(c->w.ctx.target, WITNESS_DIR, 0755) == 0 || errno == EEXIST);
	c->start = clock_ns(CLOCK_REALTIME);
	c->journal = journal_writer_open(path, 0, c->w.model.head.run, c->start, &e);
	assert_non_null(c->journal);
	c->w.ctx.operation = 1;
	act(c, world_draw(&c->w, 1, &c->file), &c->file);
	assert_true(view_path(&c->w.model.head, c->file.name.number, path, sizeof(path)) > 0);
	snprintf(c->path, sizeof(c->path), "%s/%s", c->dir, path);
}

static void end(struct cut *c)
{
	journal_writer_close(c->journal);
	world_close(&c->w);
	remove_run(NULL);
}

/* Behind the back of the model: `operation` wrote there. */
static void plant(const struct cut *c, uint64_t operation, uint64_t offset, size_t len)
{
	const struct content_key key = {c->w.model.head.run, {0, operation}, c->file.object};
	static unsigned char bytes[64 * KiB];
	struct stat before;
	int fd = open(c->path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0 && fstat(fd, &before) == 0);
	content_fill(&key, offset, bytes, len);
	assert_int_equal(pwrite(fd, bytes, len, (off_t)offset), len);
	assert_int_equal(futimens(fd, (struct timespec[]){before.st_atim, before.st_mtim}), 0);
	close(fd);
}

static void take(void *self, const struct finding *f)
{
	struct cut *c = self;

	c->found = *f;
	c->findings++;
}

/* How many findings there are when it is verified as a filesystem of this kind. */
static unsigned int verify_as(struct cut *c, bool btrfs)
{
	static const struct target of_btrfs = {.btrfs = true, .spec.fs = "btrfs"},
				   other = {.spec.fs = "ext4"};
	const struct history_plan plan = {
		.run = run,
		.key = c->w.model.head.run,
		.workers = 1,
		.shared_dirs = c->w.model.head.anchors - 1,
		.shared_files = c->w.model.head.shared_files,
		.ended = true,
	};
	const struct finding_sink sink = {take, c};
	const _Atomic bool stop = false;
	struct history h;
	struct error e;
	struct verification v = {
		.target = btrfs ? &of_btrfs : &other,
		.mount = c->w.ctx.target,
		.run = plan.key,
		.durable = &h,
		.mkfs_options = "",
		.findings = &sink,
		.counters = &c->seen,
		.stop = &stop,
		.threads = 1,
	};

	c->findings = 0;
	memset(&c->seen, 0, sizeof(c->seen));
	assert_int_equal(journal_writer_sync(c->journal, &e), 0);
	assert_int_equal(history_make(&h, &plan, &e), 0);
	assert_int_equal(durable_verify(&v, &e), 0);
	history_free(&h);
	return c->findings;
}

/* ---- tests */

/* 12 KiB that are durable, cut off at 5000, which is durable, too, and made longer again. */
static void cut_off_and_grow(struct cut *c)
{
	begin(c);
	next(c, &op_write, 0, 3 * BLOCK_SIZE);
	next(c, &op_fsync, 0, 0);
	next(c, &op_truncate, 5000, 0);
	next(c, &op_fsync, 0, 0);
	next(c, &op_truncate, 10000, 0);
}

static void what_is_right_is_silent(void **state)
{
	static struct cut c;

	cut_off_and_grow(&c);
	assert_int_equal(verify_as(&c, true), 0);
	assert_int_equal(c.seen.kept[DURABLE_BLOCKS], 3);
	assert_int_equal(c.seen.kept[DURABLE_CUT_OFF], 0);
	assert_int_equal(verify_as(&c, false), 0);
	end(&c);
}

/* docs/found/btrfs-cut-off-bytes.md */
static void cut_off_bytes_may_be_back_on_btrfs_only(void **state)
{
	static struct cut c;

	cut_off_and_grow(&c);
	plant(&c, 2, 5000, 2 * BLOCK_SIZE - 5000);
	assert_int_equal(verify_as(&c, true), 0);
	assert_int_equal(c.seen.kept[DURABLE_CUT_OFF], 1);
	assert_int_equal(verify_as(&c, false), 1);
	assert_int_equal(c.found.class, FINDING_STALE);
	end(&c);
}

/* Neither before the end that was durable nor in a further block. */
static void nothing_else_may_be_back(void **state)
{
	static const uint64_t places[] = {4990, 2 * BLOCK_SIZE};
	static struct cut c;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cut_off_and_grow(&c);
		plant(&c, 6, places[i], 1000);
		assert_int_equal(verify_as(&c, true), 1);
		assert_int_equal(c.seen.kept[DURABLE_CUT_OFF], 0);
		end(&c);
	}
}

/* What was overwritten before the last fsync is gone. */
static void an_older_version_is_found(void **state)
{
	static struct cut c;

	begin(&c);
	next(&c, &op_write, 0, 3 * BLOCK_SIZE);
	next(&c, &op_write, 100, 200);
	next(&c, &op_fsync, 0, 0);
	next(&c, &op_write, 1000, 200);
	plant(&c, 5, 1000, 100); /* a part of what came later has arrived */
	assert_int_equal(verify_as(&c, true), 0);
	plant(&c, 2, 100, 200);
	assert_int_equal(verify_as(&c, true), 1);
	assert_int_equal(c.found.class, FINDING_STALE);
	end(&c);
}

/* Its oldest file is gone; what the models were behind that was recorded. */
static void drop_head(struct cut *c)
{
	char path[128], name[JOURNAL_NAME_LEN];
	struct error e;
	int fd;

	for (unsigned int i = 0; i < JOURNAL_FILE_RECORDS; i++) {
		c->w.ctx.operation++;
		journal(c, &op_read, &c->file, 0);
	}
	c->w.model.head.operations = c->w.ctx.operation;
	snprintf(path, sizeof(path), "%s/model", run);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/model/w0000.model", run);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(model_save(&c->w.model.head, fd, &e), 0);
	close(fd);
	journal_part_name(name, 0, 0);
	snprintf(path, sizeof(path), "%s/journal/%s", run, name);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(journal_writer_drop(c->journal, 1, c->w.ctx.operation, &e), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* Of what is older than the journal nothing is said, until it is synced again. */
static void a_journal_without_its_head(void **state)
{
	static struct cut c;

	begin(&c);
	next(&c, &op_write, 0, 3 * BLOCK_SIZE);
	next(&c, &op_write, 100, 200);
	next(&c, &op_fsync, 0, 0);
	drop_head(&c);
	next(&c, &op_write, 1000, 200);
	plant(&c, 2, 100, 200);
	assert_int_equal(verify_as(&c, true), 0);
	assert_int_equal(c.seen.kept[DURABLE_BLOCKS], 0);
	assert_int_equal(c.seen.unsure, 3);
	next(&c, &op_fsync, 0, 0);
	assert_int_equal(verify_as(&c, true), 1);
	assert_int_equal(c.seen.kept[DURABLE_BLOCKS], 3);
	assert_int_equal(c.found.class, FINDING_STALE);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_is_silent),
		cmocka_unit_test(cut_off_bytes_may_be_back_on_btrfs_only),
		cmocka_unit_test(nothing_else_may_be_back),
		cmocka_unit_test(an_older_version_is_found),
		cmocka_unit_test(a_journal_without_its_head),
	};

	if (geteuid() != 0) {
		printf("skipped: files without modes want root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("durable_tree", tests, NULL, NULL);
}
