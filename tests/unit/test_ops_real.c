/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main proof of the operations: a single worker on a real filesystem, the whole tree compared with the
 *model by an independent walker every 1,000 operations. In the environment:
 *
 *	RECOW_TEST_DIR	an empty directory; a temporary one otherwise
 *	RECOW_TEST_OPS	how many operations (20,000)
 *	RECOW_TEST_SEED	(1)
 *	RECOW_TEST_EVERY	operations between two comparisons (1,000)
 *	RECOW_TEST_WHOLE	set: the workload's own shape, not one that is quickly compared
 *	RECOW_TEST_FULL	set: large files, until the filesystem is full (ENOSPC is an ordinary answer)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "src/base/clock.h"
#include "tests/unit/real_world.h"

extern const struct workload workload_aio, workload_churn, workload_enospc, workload_logtree,
	workload_manyfiles, workload_mmap, workload_reflink, workload_rewrite, workload_snapshot,
	workload_subvolume;

/* The churn workload, on fewer and smaller files, so that reading all of them so often stays quick. */
static struct workload small_churn(void)
{
	struct workload w = workload_churn;

	if (getenv("RECOW_TEST_WHOLE"))
		return w;
	if (getenv("RECOW_TEST_FULL")) {
		w.shape.size[0] = 256 * KiB;
		w.shape.write[0] = 64 * KiB;
		return w;
	}
	w.shape.files = 600;
	w.shape.dirs = 40;
	w.shape.size[1] = 4 * MiB;
	w.shape.write[1] = 256 * KiB;
	return w;
}

struct cost {
	uint64_t wall, user, system;
};

static struct cost cost_now(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (struct cost){
		.wall = clock_mono(),
		.user = (uint64_t)r.ru_utime.tv_sec * NSEC_PER_SEC +
			(uint64_t)r.ru_utime.tv_usec * NSEC_PER_USEC,
		.system = (uint64_t)r.ru_stime.tv_sec * NSEC_PER_SEC +
			  (uint64_t)r.ru_stime.tv_usec * NSEC_PER_USEC,
	};
}

static void cost_add(struct cost *sum, const struct cost *from)
{
	const struct cost now = cost_now();

	sum->wall += now.wall - from->wall;
	sum->user += now.user - from->user;
	sum->system += now.system - from->system;
}

static void print_answers(const struct world *w)
{
	for (size_t i = 0; i < op_count; i++)
		printf("%s%s %llu", i ? ", " : "answered: ", op_table[i]->name,
		       (unsigned long long)w->done[op_table[i]->id]);
	for (int err = 0; err < 1024; err++) {
		if (w->refused[err])
			printf(", %s %u", strerrorname_np(err), w->refused[err]);
	}
	printf("\n");
}

static void print_summary(const struct world *w, const struct tree_walk *t, uint64_t ops,
			  const struct cost *c)
{
	printf("%llu operations, %.0f/s, %.1f us user and %.1f us system CPU each, %.1f %% outside call(); "
	       "%llu names, %llu files without one and %.0f MiB compared, %llu differences, %u findings\n",
	       (unsigned long long)ops, (double)ops * NSEC_PER_SEC / (double)c->wall,
	       (double)c->user / (double)ops / 1e3, (double)c->system / (double)ops / 1e3,
	       w->cpu_all ? 100.0 * (double)(w->cpu_all - w->cpu_calls) / (double)w->cpu_all : 0.0,
	       (unsigned long long)t->names, (unsigned long long)t->held, (double)t->bytes / (double)MiB,
	       (unsigned long long)t->differences, w->findings);
	print_answers(w);
}

/* All snapshots that live, each by what the model was when it was taken. */
static void walk_witnesses(const struct world *w, struct tree_walk *sum)
{
	for (unsigned int i = 0; i < w->witnesses.live; i++) {
		const struct witness *one = w->witnesses.witness[i];
		struct tree_walk t = {
			.target = w->ctx.target,
			.view = &one->frozen[0]->view,
			.snapshot = one->path,
		};

		tree_walk(&t);
		sum->names += t.names;
		sum->bytes += t.bytes;
		if (!sum->differences)
			memcpy(sum->first, t.first, sizeof(t.first));
		sum->differences += t.differences;
	}
}

static void churn_in(const char *dir, const struct workload *workload, uint64_t ops)
{
	static struct world w;
	const uint64_t every = setting("RECOW_TEST_EVERY", 1000);
	struct cost cost = {0};
	struct tree_walk t;

	world_open(&w, dir, workload, setting("RECOW_TEST_SEED", 1));
	if (getenv("RECOW_TEST_FULL") || workload->shape.brim)
		w.ctx.bytes_limit = UINT64_MAX / 2;
	t = (struct tree_walk){.target = w.ctx.target, .view = &w.model.head, .holder = &w.ctx};
	for (uint64_t n = 1; n <= ops && !t.differences && !w.findings;) {
		const struct cost begin = cost_now();

		do
			world_step(&w, n);
		while (n++ % every && n <= ops);
		cost_add(&cost, &begin);
		tree_walk(&t);
		walk_witnesses(&w, &t);
	}
	print_summary(&w, &t, ops, &cost);
	expect_right(&w, &t);
	world_close(&w);
	world_sweep(dir);
}

static void churn_keeps_to_its_model(void **state)
{
	const struct workload w = small_churn();

	churn_in(directory, &w, setting("RECOW_TEST_OPS", 20000));
}

static void logtree_keeps_to_its_model(void **state)
{
	churn_in(directory, &workload_logtree, setting("RECOW_TEST_OPS", 20000) / 20);
}

static void rewrite_keeps_to_its_model(void **state)
{
	churn_in(directory, &workload_rewrite, setting("RECOW_TEST_OPS", 20000) / 20);
}

static void reflink_keeps_to_its_model(void **state)
{
	churn_in(directory, &workload_reflink, setting("RECOW_TEST_OPS", 20000) / 4);
}

/* Until the filesystem is full, and on: no more than some GiB. */
static void enospc_keeps_to_its_model(void **state)
{
	churn_in(directory, &workload_enospc, setting("RECOW_TEST_OPS", 20000) / 4);
}

static void mmap_keeps_to_its_model(void **state)
{
	churn_in(directory, &workload_mmap, setting("RECOW_TEST_OPS", 20000) / 4);
}

static void aio_keeps_to_its_model(void **state)
{
	churn_in(directory, &workload_aio, setting("RECOW_TEST_OPS", 20000) / 10);
}

static void snapshot_keeps_to_its_model(void **state)
{
	churn_in(directory, &workload_snapshot, setting("RECOW_TEST_OPS", 20000));
}

static void manyfiles_keeps_to_its_model(void **state)
{
	struct workload w = workload_manyfiles;

	/* All of them are read again and again. */
	w.shape.files = 1000;
	w.shape.dirs = 40;
	churn_in(directory, &w, setting("RECOW_TEST_OPS", 20000));
}

static void subvolume_keeps_to_its_model(void **state)
{
	churn_in(directory, &workload_subvolume, setting("RECOW_TEST_OPS", 20000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(churn_keeps_to_its_model),
		cmocka_unit_test(logtree_keeps_to_its_model),
		cmocka_unit_test(manyfiles_keeps_to_its_model),
		cmocka_unit_test(rewrite_keeps_to_its_model),
		cmocka_unit_test(reflink_keeps_to_its_model),
		cmocka_unit_test(enospc_keeps_to_its_model),
		cmocka_unit_test(mmap_keeps_to_its_model),
		cmocka_unit_test(aio_keeps_to_its_model),
		cmocka_unit_test(snapshot_keeps_to_its_model),
		cmocka_unit_test(subvolume_keeps_to_its_model),
	};
	int failed = open_directory("ops");

	if (failed)
		return failed;
	failed = cmocka_run_group_tests_name("ops_real", tests, NULL, NULL);
	close_directory();
	return failed;
}
