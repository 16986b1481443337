/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports on run directories made by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/finding/store.h"
#include "src/report/report.h"
#include "tests/unit/made_run.h"
#include "tests/unit/unit.h"

#define HEAD                                                                                                 \
	"{\"format\": 1, \"version\": \"0.1.0\", \"started_utc\": \"2026-11-22T16:00:00Z\","                 \
	" \"machine\": {\"kernel\": \"6.18.0\"}, \"plan\": {\"scenario\": \"storm\", \"seed\": \"0x1f\","    \
	" \"workers\": 4, \"target\": {\"words\": \"btrfs on a throw-away image of 4.00 GiB\"},"             \
	" \"injectors\": [{\"name\": \"hotplug\", \"unavailable\": \"no block can go offline\"},"            \
	" {\"name\": \"sync\"}], \"verifiers\": [{\"name\": \"hot\"}]}"

#define EXPOSURE                                                                                             \
	"{\"trial\": \"dirty_pages\", \"total\": {\"dirty_pages\": 350000, \"writeback_pages\": 12, "        \
	"\"pages\":"                                                                                         \
	" 400000, \"failed_pages\": 70, \"commits\": 43, \"memory_hotplug\": 390000, \"compaction\": "       \
	"10000},"                                                                                            \
	" \"verified\": {\"dirty_pages\": 300000, \"pages\": 310000}, \"failed_by_cause\": "                 \
	"{\"compaction\": 70},"                                                                              \
	" \"unsure\": 1500, \"hooks\": {\"btree_migrate_folio\": {\"moved\": 5, \"refused\": 7, "            \
	"\"failed\": 0}},"                                                                                   \
	" \"lost_events\": 3, \"sampled\": {\"files\": 100, \"pages\": 2000, \"moved\": 500}, "              \
	"\"not_measurable\":"                                                                                \
	" [{\"what\": \"btrfs_migrate_folio\", \"why\": \"this kernel has no kprobe events\"}]}"

#define OUTCOME                                                                                              \
	", \"outcome\": {\"exit\": 0, \"verdict\": \"clean: 3 rounds\", \"left\": 0, \"seconds\": 30.5,"     \
	" \"churn_seconds\": 10.0, \"rounds\": 3, \"operations\": 200000, \"answers\": {\"by_group\":"       \
	" {\"names\": 50000, \"data\": 150000}, \"refused\": {\"ENOSPC\": 12, \"EEXIST\": 4}},"              \
	" \"bytes_written\": 1073741824, \"bytes_read\": 1048576, \"migrated\": 400000, \"trials\": 300000," \
	" \"exposure\": " EXPOSURE ","                                                                       \
	" \"injectors\": {\"sync\": {\"steps\": 40, \"idle\": 1, \"failed\": 0}},"                           \
	" \"verified\": {\"hot\": {\"bytes\": 2147483648, \"objects\": 3000, \"names\": 4000,"               \
	" \"blocks\": 524288, \"resident\": 262144, \"time_ns\": 1500000000}},"                              \
	" \"model\": {\"objects\": 1000, \"names\": 1000, \"blocks\": 10000, \"mapped\": 10625, "            \
	"\"block_bytes\": 170000,"                                                                           \
	" \"object_bytes\": 250000, \"total_bytes\": 1048576}}"

static char *printed(void)
{
	struct report r;
	struct error e;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (report_load(&r, run, &e))
		fail_msg("%s", e.text);
	report_print(&r, out);
	report_free(&r);
	fclose(out);
	return text;
}

static void holds(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void a_whole_run_is_told(void **state)
{
	char *text, *last;

	put("run.json", HEAD OUTCOME "}");
	text = printed();
	holds(text,
	      "recow 0.1.0: scenario storm, seed 0x1f, 4 workers, btrfs on a throw-away image of 4.00 GiB");
	holds(text, "30.5 s, 3 whole rounds");
	holds(text, "200 k, 20.0 k/s while churning: names 25 %, data 75 %");
	holds(text, "ENOSPC 12, EEXIST 4");
	holds(text, "1.00 GiB written");
	holds(text,
	      "  migrated    400 k pages, 310 k of them in rounds that were verified afterwards; 70 failed\n"
	      "  by cause    compaction 10.0 k (70 failed), memory_hotplug 390 k\n"
	      "  by cause    3 events were lost: the figures are too small\n"
	      "  hook        btree_migrate_folio: 5 moved, 7 refused, 0 failed\n"
	      "  target      350 k of its dirty pages moved (and 1.50 k that may have been written out "
	      "before), 300 "
	      "k "
	      "verified afterwards; 12 moved behind their writeback; 43 transactions committed\n"
	      "  sampled     25 % (+-10) of its cached pages moved at least once in a phase (2000 pages of "
	      "100 "
	      "files looked at)\n");
	holds(text, "not seen    btrfs_migrate_folio: not measurable here: this kernel has no kprobe events");
	holds(text, "sync: 40 steps, 1 idle, 0 refused");
	holds(text, "hot: 2.00 GiB, 3.00 k objects, 4.00 k names in 1.5 s; 50 % of the blocks were resident");
	holds(text, "16.0 bytes per block (17.0 counting only blocks that hold data), 250 per object");
	holds(text, "not run     hotplug: no block can go offline");
	holds(text, "everything is put back");
	last = strstr(text, "clean: 3 rounds\n");
	assert_non_null(last);
	assert_string_equal(last, "clean: 3 rounds\n"); /* the last line is the verdict */
	free(text);
}

static void a_run_without_an_end_has_no_verdict(void **state)
{
	char *text;

	put("run.json", HEAD "}");
	put("status.jsonl",
	    "{\"t\": 1.0, \"round\": 1, \"operations\": 10}\n"
	    "{\"t\": 17.2, \"round\": 2, \"operations\": 90000, \"bytes_verified\": 1048576}\n"
	    "{\"t\": 18.2, \"rou");
	text = printed();
	holds(text, "last seen   after 17 s in round 2: 90.0 k operations, 1.00 MiB verified");
	holds(text, "no verdict: this run has no end");
	assert_null(strstr(text, "clean"));
	free(text);
}

static void findings_are_counted_by_class(void **state)
{
	struct finding *f = calloc(1, sizeof(*f));
	struct report r;
	struct error e;
	json_t *j;
	char *text;

	assert_non_null(f);
	put("run.json", HEAD OUTCOME "}");
	f->class = FINDING_STALE;
	assert_int_equal(finding_store(run, 1, f, &e), 0);
	assert_int_equal(finding_store(run, 2, f, &e), 0);
	f->class = FINDING_EIO;
	assert_int_equal(finding_store(run, 3, f, &e), 0);
	text = printed();
	holds(text, "findings    stale 2, eio 1");
	free(text);
	assert_int_equal(report_load(&r, run, &e), 0);
	j = report_json(&r);
	assert_int_equal(json_integer_value(json_object_get(j, "findings")), 3);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(j, "findings_by_class"), "stale")), 2);
	json_decref(j);
	report_free(&r);
	free(f);
}

static void several_runs_add_up(void **state)
{
	struct report r[2];
	struct error e;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	put("run.json", HEAD OUTCOME "}");
	assert_int_equal(report_load(&r[0], run, &e), 0);
	assert_int_equal(report_load(&r[1], run, &e), 0);
	report_print_merged(r, 2, out);
	fclose(out);
	holds(text, "2 runs: 2 clean, 0 with findings, 0 without an end");
	holds(text, "operations  400 k");
	holds(text, "no finding in 600 k verified migrations: fewer than one in 200 k, with 95 % confidence");
	free(text);
	report_free(&r[0]);
	report_free(&r[1]);
}

static void what_is_no_run_is_refused(void **state)
{
	struct report r;
	struct error e;
	char message[128];

	assert_int_equal(report_load(&r, run, &e), -1);
	assert_int_equal(e.exit, EXIT_USAGE);
	snprintf(message, sizeof(message), "%s is not a run directory: run.json: No such file or directory",
		 run);
	assert_string_equal(e.text, message);
	put("run.json", "{\"format\": 1,");
	assert_int_equal(report_load(&r, run, &e), -1);
	holds(e.text, "/run.json:1: ");
}

static void writing_replaces_as_a_whole(void **state)
{
	json_t *j = json_pack("{s:i}", "format", 1);
	struct report r;
	struct error e;
	char path[128];

	put("run.json", HEAD OUTCOME "}");
	assert_int_equal(report_write(run, "run.json", j, &e), 0);
	assert_int_equal(report_load(&r, run, &e), 0);
	assert_int_equal(json_object_size(r.run), 1);
	report_free(&r);
	snprintf(path, sizeof(path), "%s/run.json.new", run);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(report_write("/nonexistent", "run.json", j, &e), -1);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_run_is_told, make_run, remove_run),
		cmocka_unit_test_setup_teardown(a_run_without_an_end_has_no_verdict, make_run, remove_run),
		cmocka_unit_test_setup_teardown(findings_are_counted_by_class, make_run, remove_run),
		cmocka_unit_test_setup_teardown(several_runs_add_up, make_run, remove_run),
		cmocka_unit_test_setup_teardown(what_is_no_run_is_refused, make_run, remove_run),
		cmocka_unit_test_setup_teardown(writing_replaces_as_a_whole, make_run, remove_run),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
