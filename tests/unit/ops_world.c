/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ops_world.h"

#include <btrfsutil.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/model/stripes.h"
#include "src/ops/direct.h"
#include "src/ops/held.h"
#include "src/ops/window.h"
#include "src/target/target.h"

#define SHARED_DIRS  4
#define SHARED_FILES 2

static void die(const char *what)
{
	perror(what);
	abort();
}

static void note_finding(void *self, const struct finding *f)
{
	struct world *w = self;

	if (w->findings++ == 0)
		snprintf(w->finding, sizeof(w->finding), "%s by %s, operation %llu, object %u, %.1000s: %s",
			 finding_class_name(f->class), f->verifier, (unsigned long long)f->operation,
			 f->object, f->path, f->detail);
}

/* What reading the thread's clock costs by itself: a system call, as long as some operations. */
static uint64_t clock_cost(void)
{
	const unsigned int rounds = 1000;
	const uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	for (unsigned int i = 1; i < rounds; i++)
		clock_ns(CLOCK_THREAD_CPUTIME_ID);
	return (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / rounds;
}

/* A subvolume on btrfs, a directory elsewhere. */
static void make_subvolume(struct world *w, const char *path)
{
	int fd = openat(w->ctx.target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum btrfs_util_error failed = btrfs_util_create_subvolume_fd(fd, path, 0, NULL, NULL);

	close(fd);
	if (failed && mkdirat(w->ctx.target, path, 0755))
		die(path);
}

/* What the filesystem meets of the needs of operations. */
static void learn_needs(struct world *w, const char *dir)
{
	struct target t = {.unmet = 0};
	struct statfs fs;
	struct error e;

	snprintf(t.mountpoint, sizeof(t.mountpoint), "%s", dir);
	if (target_try_renames(&t, &e))
		die(e.text);
	if (fstatfs(w->ctx.target, &fs))
		die("statfs");
	w->met = (NEED_EXCHANGE | NEED_NOREPLACE | NEED_WHITEOUT) & ~t.unmet;
	w->met |= fs.f_type == BTRFS_SUPER_MAGIC ? NEED_BTRFS : 0;
}

static void make_anchors(struct world *w)
{
	char path[64];

	if (w->met & NEED_BTRFS && mkdirat(w->ctx.target, WITNESS_DIR, 0755))
		die(WITNESS_DIR);

	anchor_path(0, OBJECT_ROOT, path, sizeof(path));
	make_subvolume(w, path);
	make_subvolume(w, "shared");
	for (uint32_t i = 0; i < SHARED_DIRS; i++) {
		anchor_path(0, OBJECT_FIRST_SHARED + i, path, sizeof(path));
		if (mkdirat(w->ctx.target, path, 0755))
			die(path);
	}
}

static void make_shared_files(struct world *w)
{
	for (uint32_t k = 0; k < SHARED_FILES; k++) {
		char path[64];
		int fd;

		anchor_path(0, OBJECT_FIRST_SHARED_FILE + k, path, sizeof(path));
		fd = openat(w->ctx.target, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0 || ftruncate(fd, (off_t)stripes_size(k)))
			die(path);
		close(fd);
		if (!model_add_shared_file(&w->model, stripes_size(k)))
			die("model_add_shared_file");
	}
}

void world_open(struct world *w, const char *dir, const struct workload *workload, uint64_t seed)
{
	struct error e;

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->mix = workload->mix;
	w->shape = workload->shape;
	w->pool_bytes = 1 * GiB;
	w->pool = mmap(NULL, w->pool_bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	w->ctx.buffer = mmap(NULL, OP_BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	w->ctx.target = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->pool == MAP_FAILED || w->ctx.buffer == MAP_FAILED || w->ctx.target < 0)
		die(dir);
	if (model_init(&w->model, page_pool_init(w->pool, w->pool_bytes), 0, mix64(seed), SHARED_DIRS, &e))
		die(e.text);
	w->sink = (struct finding_sink){.emit = note_finding, .self = w};
	w->ctx.model = &w->model;
	w->ctx.shape = &w->shape;
	w->ctx.bytes_limit = 256 * MiB;
	w->ctx.findings = &w->sink;
	w->ctx.witnesses = &w->witnesses;
	witness_list_init(&w->witnesses);
	w->clock_cost = clock_cost();
	umask(0);
	learn_needs(w, dir);
	make_anchors(w);
	make_shared_files(w);
	if (direct_begin(&w->ctx, &e) || (w->shape.nocow && target_make_nocow(w->ctx.target, "w0000", &e)))
		die(e.text);
}

void world_close(struct world *w)
{
	windows_close(&w->ctx);
	direct_end(&w->ctx);
	held_close_all(&w->ctx);
	witness_list_destroy(&w->witnesses);
	model_destroy(&w->model);
	munmap(w->pool, w->pool_bytes);
	munmap(w->ctx.buffer, OP_BUFFER);
	close(w->ctx.target);
}

static const struct op *draw_op(const struct world *w, struct stream *s)
{
	unsigned int total = 0;
	uint64_t r;

	for (const struct weight *m = w->mix; m->op; m++)
		total += m->weight;
	r = stream_below(s, total);
	for (const struct weight *m = w->mix; m->op; m++) {
		if (r < m->weight)
			return op_by_name(m->op);
		r -= m->weight;
	}
	return NULL;
}

/* Hold the number of files within a sixteenth of what the shape wants. */
static bool is_balanced(const struct world *w, const struct op *op)
{
	uint32_t have = model_pick_count(&w->model, PICK_FILE) + model_pick_count(&w->model, PICK_SYMLINK);
	uint32_t slack = w->shape.files / 16;

	return !(op->balance == BALANCE_GROWS && have > w->shape.files + slack) &&
	       !(op->balance == BALANCE_SHRINKS && have + slack < w->shape.files);
}

const struct op *world_draw(struct world *w, uint64_t n, struct op_args *args)
{
	struct stream s = stream_make(w->seed, 0, n);

	w->ctx.operation = n;
	for (;;) {
		const struct op *op = draw_op(w, &s);

		memset(args, 0, sizeof(*args));
		if (!(op->needs & ~w->met) && is_balanced(w, op) && op->draw(&w->ctx, &s, args))
			return op;
	}
}

void world_step(struct world *w, uint64_t n)
{
	const bool sample = n % 64 == 0;
	uint64_t begin = 0, called = 0, answered = 0;
	struct op_args args;
	struct op_answer answer;
	const struct op *op;

	if (sample)
		begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	op = world_draw(w, n, &args);
	if (sample)
		called = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	op->call(&w->ctx, &args, &answer);
	if (sample)
		answered = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	op->learn(&w->ctx, &args, &answer);
	windows_settle(&w->ctx);
	if (answer.ret < 0 && -answer.ret < 1024)
		w->refused[-answer.ret]++;
	else
		w->done[op->id]++;
	if (sample) {
		w->sampled++;
		w->cpu_all += clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin - 3 * w->clock_cost;
		w->cpu_calls += answered - called - w->clock_cost;
	}
}

void world_sweep(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char path[4096];
		struct error e;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (target_remove_tree(path, &e))
			die(e.text);
	}
	if (d)
		closedir(d);
}
