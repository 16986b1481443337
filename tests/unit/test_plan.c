/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans are made here of plug-ins of the test's own, so that no shipped one can break it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/plan/plan.h"
#include "src/plugins.h"
#include "src/scenario/scenario.h"
#include "tests/unit/unit.h"

static const struct weight churn_mix[] = {
	{"write", 9}, {"snapshot", 1}, {"snapshot_delete", 1}, {"exchange", 1}, {NULL, 0}};
static const struct workload churn = {
	.name = "churn",
	.mix = churn_mix,
	.shape = {.files = 1000, .dirs = 50, .size = {1, 4 * MiB}, .write = {1, 64 * KiB}, .depth = 4},
};
static const struct workload logtree = {
	.name = "logtree",
	.needs = NEED_BTRFS,
	.shape = {.files = 2000, .dirs = 50, .size = {1, 16 * KiB}, .write = {1, 16 * KiB}, .depth = 4},
};
static const char *const sync_args[] = {"hold", "storm", NULL};
static const char *const modes[] = {"gentle", "rough", NULL};
static const struct param hotplug_params[] = {
	{"blocks", "", PARAM_COUNT, "4", 1, 64, NULL},     {"limit", "", PARAM_DURATION, "2s", 0, 0, NULL},
	{"mode", "", PARAM_CHOICE, "gentle", 0, 0, modes}, {"eager", "", PARAM_BOOL, "yes", 0, 0, NULL},
	{"size", "", PARAM_SIZE, "1m", 0, 0, NULL},        {"part", "", PARAM_PERCENT, "50%", 0, 0, NULL},
};
static const struct injector hotplug = {
	.name = "hotplug",
	.needs = NEED_MEMORY_HOTPLUG,
	.params = hotplug_params,
	.param_count = ARRAY_SIZE(hotplug_params),
};
static const struct injector sync_injector = {.name = "sync", .phase_args = sync_args};
static const struct verifier hot = {.name = "hot", .when = VERIFY_ROUND};
static const struct verifier remount = {.name = "remount", .when = VERIFY_REMOUNTED};

const struct workload *const plugin_workloads[] = {&churn, &logtree, NULL};
const struct injector *const plugin_injectors[] = {&hotplug, &sync_injector, NULL};
const struct verifier *const plugin_verifiers[] = {&hot, &remount, NULL};

static const char storm[] = "[run]\n"
			    "duration = 30s\n"
			    "workers = 3\n"
			    "[workload churn]\n"
			    "share = 3\n"
			    "files = 500\n"
			    "[workload logtree]\n"
			    "[phase dirty]\n"
			    "duration = 2s\n"
			    "inject = sync:hold\n"
			    "[phase rest]\n"
			    "duration = 1s\n"
			    "churn = no\n"
			    "[phase migrate]\n"
			    "duration = 3s\n"
			    "inject = hotplug, sync:hold\n"
			    "[verify]\n"
			    "list = hot, remount\n";

static void read_text(const char *text, struct scenario *s)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct error e;

	assert_non_null(in);
	if (scenario_read(in, "storm.ini", s, &e))
		fail_msg("%s", e.text);
	fclose(in);
}

/* One flag: "run", "", "duration", "10m". */
struct flag {
	const char *kind, *name, *key, *value, *flag;
};

static int make(struct plan *p, const char *text, const struct flag *flags, size_t count, struct error *e)
{
	struct scenario file, over = {0};
	int ret;

	read_text(text, &file);
	for (size_t i = 0; i < count; i++) {
		struct scenario_section *s =
			scenario_section(&over, flags[i].kind, flags[i].name, flags[i].flag);

		assert_non_null(s);
		if (flags[i].key)
			assert_int_equal(scenario_add(s, flags[i].key, flags[i].value, flags[i].flag, e), 0);
	}
	ret = plan_make(p, &file, &over, e);
	scenario_free(&file);
	scenario_free(&over);
	return ret;
}

static struct plan *make_good(const char *text, const struct flag *flags, size_t count)
{
	struct plan *p = malloc(sizeof(*p));
	struct error e;

	assert_non_null(p);
	if (make(p, text, flags, count, &e))
		fail_msg("%s", e.text);
	return p;
}

static void refuses(const char *text, const struct flag *flags, size_t count, const char *message)
{
	struct plan *p = malloc(sizeof(*p));
	struct error e;

	assert_non_null(p);
	assert_int_equal(make(p, text, flags, count, &e), -1);
	assert_int_equal(e.exit, EXIT_USAGE);
	assert_string_equal(e.text, message);
	free(p);
}

static void a_file_becomes_a_plan(void **state)
{
	struct plan *p = make_good(storm, NULL, 0);

	assert_string_equal(p->scenario, "storm");
	assert_int_equal(p->duration, 30 * NSEC_PER_SEC);
	assert_int_equal(p->workers, 3);
	assert_int_equal(p->workload_count, 2);
	assert_int_equal(p->workload[0].share, 3);
	assert_int_equal(p->workload[0].shape.files, 500);
	assert_int_equal(p->workload[0].shape.dirs, 50);
	assert_int_equal(p->workload[1].share, 1);
	assert_int_equal(p->phase_count, 3);
	assert_string_equal(p->phase[2].name, "migrate");
	assert_true(p->phase[0].churn);
	assert_false(p->phase[1].churn);
	assert_int_equal(p->injection_count, 2);
	assert_ptr_equal(p->injection[0].injector, &sync_injector);
	assert_int_equal(p->phase[0].inject, 1);
	assert_int_equal(p->phase[1].inject, 0);
	assert_int_equal(p->phase[2].inject, 3);
	assert_string_equal(p->phase[2].arg[0], "hold");
	assert_string_equal(p->phase[2].arg[1], "");
	assert_int_equal(p->injection[1].params.value[1], 2 * NSEC_PER_SEC);
	assert_int_equal(p->verification_count, 2);
	assert_int_equal(p->target.kind, TARGET_AUTO);
	assert_string_equal(p->target.fs, "btrfs");
	free(p);
}

static void flags_win_over_the_file(void **state)
{
	static const struct flag flags[] = {
		{"run", "", "rounds", "5", "--rounds"},
		{"run", "", "seed", "0x1f", "--seed"},
		{"workload", "churn", "dirs", "7", "--workload"},
		{"inject", "hotplug", "blocks", "9", "--inject"},
		{"inject", "sync", "storm", "", "--inject"},
		{"verify", "", "list", "hot", "--verify"},
		{"target", "", "path", "/mnt", "--target"},
	};
	struct plan *p = make_good(storm, flags, ARRAY_SIZE(flags));

	assert_int_equal(p->duration, 0); /* the file's limit goes with the flag's */
	assert_int_equal(p->rounds, 5);
	assert_int_equal(p->seed, 0x1f);
	assert_int_equal(p->workload_count, 1); /* only what -w names, on the base that the file laid */
	assert_int_equal(p->workload[0].shape.files, 500);
	assert_int_equal(p->workload[0].shape.dirs, 7);
	assert_int_equal(p->injection[1].params.value[0], 9);
	assert_true(p->injection[1].asked);
	assert_string_equal(p->phase[0].arg[0], "storm");
	assert_int_equal(p->phase[0].inject, 1); /* hotplug stays in its own phase */
	assert_int_equal(p->verification_count, 1);
	assert_string_equal(p->target.path, "/mnt");
	free(p);
}

static void a_new_injector_goes_into_every_phase_that_churns(void **state)
{
	static const char text[] = "[workload churn]\n[verify]\nlist = hot\n[phase a]\nduration = 1s\n"
				   "[phase b]\nduration = 1s\nchurn = no\n";
	static const struct flag flags[] = {{"inject", "hotplug", NULL, NULL, "--inject"}};
	struct plan *p = make_good(text, flags, 1);

	assert_int_equal(p->phase[0].inject, 1);
	assert_int_equal(p->phase[1].inject, 0);
	free(p);
}

static void the_same_seed_gives_the_same_content(void **state)
{
	static const struct flag one[] = {{"run", "", "seed", "1", "-s"}};
	static const struct flag two[] = {{"run", "", "seed", "2", "-s"}};
	struct plan *a = make_good(storm, one, 1), *b = make_good(storm, one, 1),
		    *c = make_good(storm, two, 1);
	struct plan *d = make_good(storm, NULL, 0), *f = make_good(storm, NULL, 0);

	assert_int_equal(a->run_key, b->run_key);
	assert_int_not_equal(a->run_key, c->run_key);
	assert_int_not_equal(d->seed, f->seed);
	free(a);
	free(b);
	free(c);
	free(d);
	free(f);
}

#define GOOD_REST "[phase p]\nduration = 1s\n[verify]\nlist = hot\n"

static void errors_name_line_and_nearest_word(void **state)
{
	refuses("[workload chrun]\n", NULL, 0,
		"storm.ini:1: unknown workload 'chrun'; did you mean 'churn'?");
	refuses("[workload churn]\nfils = 3\n", NULL, 0,
		"storm.ini:2: unknown parameter 'fils'; did you mean 'files'?");
	refuses("[run]\nduraton = 3\n", NULL, 0,
		"storm.ini:2: unknown key 'duraton'; did you mean 'duration'?");
	refuses("[run]\nduration = 3q\n", NULL, 0,
		"storm.ini:2: duration: '3q' is not a number with a unit of ms, s, m, h, d");
	refuses("[run]\nseed = 12x\n", NULL, 0,
		"storm.ini:2: seed: '12x' is not a number below 2^64 (17, 0x1f)");
	refuses("[target]\nmkfs = yes\n", NULL, 0,
		"storm.ini:2: a scenario formats nothing of yours: --mkfs --yes are flags only");
	refuses("[run]\nworkers = 0\n", NULL, 0, "storm.ini:2: workers: '0' is not between 1 and 1024");
	refuses("[phase p]\nduration = 1s\ninject = hotplg\n", NULL, 0,
		"storm.ini:3: unknown injector 'hotplg'; did you mean 'hotplug'?");
	refuses("[phase p]\nduration = 1s\ninject = sync:hald\n", NULL, 0,
		"storm.ini:3: injector sync: unknown word 'hald'; did you mean 'hold'?");
	refuses("[phase p]\nduration = 1s\ninject = hotplug:hold\n", NULL, 0,
		"storm.ini:3: injector hotplug takes no word behind its name: 'hold'");
	refuses("[phase p]\nchurn = yes\n", NULL, 0,
		"storm.ini:1: phase p needs a duration or a number of ops, and not both");
	refuses("[inject hotplug]\nmode = rogh\n", NULL, 0,
		"storm.ini:2: injector hotplug: mode: unknown mode 'rogh'; did you mean 'rough'?");
	refuses("[inject hotplug]\nlimits = 2s\n", NULL, 0,
		"storm.ini:2: injector hotplug: unknown parameter 'limits'; did you mean 'limit'?");
	refuses("[verify]\nlist = hot, clod\n", NULL, 0,
		"storm.ini:2: unknown verifier 'clod'; known: hot, remount");
	refuses("[workload churn]\nsize_min = 2m\nsize_max = 1m\n", NULL, 0,
		"storm.ini:1: workload churn: size_min is above size_max");
}

static void a_plan_must_be_whole(void **state)
{
	refuses(GOOD_REST, NULL, 0, "storm.ini: no [workload NAME]");
	refuses("[workload churn]\n[verify]\nlist=hot\n", NULL, 0, "storm.ini: no [phase NAME] with churn");
	refuses("[workload churn]\n[phase p]\nduration = 1s\n", NULL, 0,
		"storm.ini: nothing is verified: no [verify] list");
	refuses("[workload churn]\n[inject hotplug]\n" GOOD_REST, NULL, 0,
		"storm.ini: injector hotplug is in no phase");
}

static void errors_name_the_flag(void **state)
{
	static const struct flag workload[] = {{"workload", "logtre", NULL, NULL, "--workload"}};
	static const struct flag param[] = {{"inject", "hotplug", "blocks", "100", "--inject"}};
	static const struct flag run[] = {{"run", "", "workers", "5000", "--workers"}};

	refuses(storm, workload, 1, "--workload: unknown workload 'logtre'; did you mean 'logtree'?");
	refuses(storm, param, 1, "--inject: injector hotplug: blocks: '100' is not between 1 and 64");
	refuses(storm, run, 1, "--workers: workers: '5000' is not between 1 and 1024");
}

static void what_cannot_run_is_left_out_by_name(void **state)
{
	static const struct flag flags[] = {{"inject", "hotplug", NULL, NULL, "--inject"}};
	static const struct flag named[] = {{"workload", "logtree", NULL, NULL, "--workload"}};
	struct surroundings around = {.target_known = true, .met = NEED_EXCHANGE};
	struct plan *p = make_good(storm, NULL, 0);
	struct error e;

	snprintf(around.reason[1], sizeof(around.reason[1]), "the target is not btrfs");
	snprintf(around.reason[2], sizeof(around.reason[2]), "a directory is not unmounted");
	snprintf(around.reason[3], sizeof(around.reason[3]), "no block can go offline");
	assert_int_equal(plan_settle(p, &around, &e), 0);
	assert_string_equal(p->left_out, "snapshot, snapshot_delete: the target is not btrfs");
	assert_int_equal(p->workload_count, 1);
	assert_string_equal(p->workloads_left_out, "logtree: the target is not btrfs");
	assert_null(p->injection[0].unavailable);
	assert_string_equal(p->injection[1].unavailable, "no block can go offline");
	assert_null(p->verification[0].unavailable);
	assert_string_equal(p->verification[1].unavailable, "a directory is not unmounted");
	free(p);

	p = make_good(storm, flags, 1);
	assert_int_equal(plan_settle(p, &around, &e), -1);
	assert_int_equal(e.exit, EXIT_CANNOT);
	assert_string_equal(e.text, "injector hotplug cannot run here: no block can go offline");
	free(p);

	p = make_good(storm, named, 1);
	assert_int_equal(plan_settle(p, &around, &e), -1);
	assert_string_equal(e.text, "workload logtree cannot run here: the target is not btrfs");
	free(p);

	p = make_good(storm, flags, 1);
	around.met = NEED_MEMORY_HOTPLUG | NEED_OWN_TARGET | NEED_BTRFS | NEED_EXCHANGE;
	assert_int_equal(plan_settle(p, &around, &e), 0);
	assert_string_equal(p->left_out, "");
	assert_int_equal(p->met, around.met);
	assert_null(p->injection[1].unavailable);
	assert_null(p->verification[1].unavailable);
	free(p);
}

/* Only what can run, and runs, makes the target lie on a mapping. */
static void an_injector_that_wants_a_mapping_gets_it(void **state)
{
	const struct injector device = {.name = "device", .needs = NEED_MAPPING};
	struct surroundings around = {.target_known = true,
				      .met = NEED_MEMORY_HOTPLUG | NEED_OWN_TARGET | NEED_BTRFS};
	struct plan *p = make_good(storm, NULL, 0);
	struct error e;

	assert_int_equal(plan_settle(p, &around, &e), 0);
	assert_false(p->target.mapped);
	p->injection[1].injector = &device;
	assert_int_equal(plan_settle(p, &around, &e), 0);
	assert_false(p->target.mapped);
	around.met |= NEED_MAPPING;
	assert_int_equal(plan_settle(p, &around, &e), 0);
	assert_true(p->target.mapped);
	p->inject = false;
	assert_int_equal(plan_settle(p, &around, &e), 0);
	assert_false(p->target.mapped);
	free(p);
}

/* What the mounted target turns out not to have comes behind what was known before; nobody mixes whiteouts.
 */
static void what_the_target_lacks_is_left_out_too(void **state)
{
	struct plan *p = make_good(storm, NULL, 0);
	char text[128];

	snprintf(p->left_out, sizeof(p->left_out), "snapshot: why");
	assert_string_equal(plan_left_out(text, sizeof(text), p, 0, ""), "snapshot: why");
	assert_string_equal(plan_left_out(text, sizeof(text), p, NEED_WHITEOUT, "no"), "snapshot: why");
	assert_string_equal(plan_left_out(text, sizeof(text), p, NEED_WHITEOUT | NEED_EXCHANGE, "no"),
			    "snapshot: why; exchange: no");
	assert_string_equal(plan_left_out(text, 18, p, NEED_EXCHANGE, "no"), "snapshot: why; ex");
	p->left_out[0] = '\0';
	assert_string_equal(plan_left_out(text, sizeof(text), p, NEED_EXCHANGE, "no"), "exchange: no");
	free(p);
}

static void needs_read_well(void **state)
{
	char text[128];

	assert_string_equal(needs_show(text, sizeof(text), NEED_NOTHING), "nothing");
	assert_string_equal(needs_show(text, sizeof(text), NEED_BTRFS | NEED_MEMORY_HOTPLUG),
			    "btrfs, memory hotplug");
}

static void every_unit_is_shown_as_it_is_read(void **state)
{
	static const char *const shown[] = {"4", "2.0 s", "gentle", "yes", "1.00 MiB", "50%"};
	struct params values;
	struct error e;
	char text[32];

	assert_int_equal(params_init(&values, hotplug_params, ARRAY_SIZE(hotplug_params), &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		assert_string_equal(params_show(text, sizeof(text), &hotplug_params[i], values.value[i]),
				    shown[i]);
}

static void a_plan_prints_the_same_each_time(void **state)
{
	static const struct flag flags[] = {{"run", "", "seed", "7", "-s"}};
	char *text[2];
	size_t len;

	for (int i = 0; i < 2; i++) {
		struct plan *p = make_good(storm, flags, 1);
		FILE *out = open_memstream(&text[i], &len);

		plan_print(p, out);
		fclose(out);
		free(p);
	}
	assert_string_equal(text[0], text[1]);
	assert_non_null(strstr(text[0], "seed        0x0000000000000007"));
	assert_non_null(strstr(text[0], "phase 3     migrate    3.0 s, churn, sync:hold, hotplug"));
	free(text[0]);
	free(text[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_becomes_a_plan),
		cmocka_unit_test(flags_win_over_the_file),
		cmocka_unit_test(a_new_injector_goes_into_every_phase_that_churns),
		cmocka_unit_test(the_same_seed_gives_the_same_content),
		cmocka_unit_test(errors_name_line_and_nearest_word),
		cmocka_unit_test(a_plan_must_be_whole),
		cmocka_unit_test(errors_name_the_flag),
		cmocka_unit_test(what_cannot_run_is_left_out_by_name),
		cmocka_unit_test(an_injector_that_wants_a_mapping_gets_it),
		cmocka_unit_test(what_the_target_lacks_is_left_out_too),
		cmocka_unit_test(needs_read_well),
		cmocka_unit_test(every_unit_is_shown_as_it_is_read),
		cmocka_unit_test(a_plan_prints_the_same_each_time),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
