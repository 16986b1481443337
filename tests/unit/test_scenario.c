/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/scenario/scenario.h"
#include "tests/unit/unit.h"

static int read_text(const char *text, struct scenario *s, struct error *e)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int ret;

	assert_non_null(in);
	ret = scenario_read(in, "dir/storm.ini", s, e);
	fclose(in);
	return ret;
}

static void refuses(const char *text, const char *message)
{
	struct scenario s;
	struct error e;

	assert_int_equal(read_text(text, &s, &e), -1);
	assert_int_equal(e.exit, EXIT_USAGE);
	assert_string_equal(e.text, message);
}

static void sections_keep_their_order_and_lines(void **state)
{
	struct scenario s;
	struct error e;

	assert_int_equal(read_text("; a comment\n[run]\nduration = 30s ; said again\n\n[inject hotplug]\n"
				   "[phase b]\nduration=1s\n[phase a]\nduration=2s\n",
				   &s, &e),
			 0);
	assert_string_equal(s.name, "storm");
	assert_int_equal(s.section_count, 4);
	assert_string_equal(s.sections[0].keys[0].value, "30s");
	assert_int_equal(s.sections[0].keys[0].line, 3);
	assert_string_equal(s.sections[1].name, "hotplug"); /* empty, and there all the same */
	assert_int_equal(s.sections[1].key_count, 0);
	assert_string_equal(s.sections[2].name, "b");
	assert_string_equal(s.sections[3].name, "a");
	assert_int_equal(s.sections[3].line, 8);
	assert_string_equal(scenario_value(&s, "phase", "a", "duration"), "2s");
	assert_null(scenario_value(&s, "phase", "c", "duration"));
	scenario_free(&s);
}

static void indented_lines_go_on(void **state)
{
	struct scenario s;
	struct error e;

	assert_int_equal(read_text("[verify]\nlist = hot,\n\tcold\n", &s, &e), 0);
	assert_string_equal(scenario_value(&s, "verify", "", "list"), "hot, cold");
	scenario_free(&s);
}

static void errors_name_file_and_line(void **state)
{
	char longer[512];

	refuses("[run]\n[wrkload churn]\n",
		"dir/storm.ini:2: unknown section 'wrkload'; did you mean 'workload'?");
	refuses("[run]\nseed = 1\nseed = 2\n", "dir/storm.ini:3: 'seed' was given in line 2 already");
	refuses("[run]\n\n[run]\n", "dir/storm.ini:3: [run] was begun in line 1 already");
	refuses("[phase]\n", "dir/storm.ini:1: [phase] lacks a name: [phase NAME]");
	refuses("[run it]\n", "dir/storm.ini:1: [run] takes no name");
	refuses("seed = 1\n", "dir/storm.ini:1: 'seed' stands before the first section");
	refuses("[run]\nnonsense\n", "dir/storm.ini:2: neither [section] nor key = value");
	snprintf(longer, sizeof(longer), "[run]\nseed = %0300d\n", 1);
	refuses(longer, "dir/storm.ini:2: the line is longer than 198 bytes");
}

/* A pipe with a writer is read like a file; without, it is no reason to wait. */
static void pipes_are_not_waited_for(void **state)
{
	char dir[] = "/tmp/recow-scenario-XXXXXX", fifo[64], byte;
	struct scenario s;
	struct error e;
	int fd, opened[2];

	assert_non_null(mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/pipe", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(scenario_load(fifo, &s, &e), -1);
	assert_non_null(strstr(e.text, "nobody writes to it"));
	/* A reader all the time: whoever comes first, nothing is lost. */
	fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pipe(opened), 0);
	if (fork() == 0) {
		int out = open(fifo, O_WRONLY);

		if (write(opened[1], "", 1) != 1)
			_exit(1);
		usleep(200000); /* so that it is mostly read before anything was written */
		_exit(write(out, "[run]\nworkers = 3\n", 18) != 18);
	}
	assert_int_equal(read(opened[0], &byte, 1), 1);
	assert_int_equal(scenario_load(fifo, &s, &e), 0);
	assert_int_equal(s.section_count, 1);
	scenario_free(&s);
	wait(NULL);
	close(fd);
	close(opened[0]);
	close(opened[1]);
	unlink(fifo);
	rmdir(dir);
}

static void count_one(void *self, const char *name, const char *path)
{
	if (strcmp(name, "mine") == 0)
		++*(int *)self;
}

static void scenarios_are_found_by_name_or_path(void **state)
{
	char dir[] = "/tmp/recow-scenario-XXXXXX", file[64], path[4096];
	struct error e;
	int seen = 0;
	FILE *out;

	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/mine.ini", dir);
	out = fopen(file, "w");
	assert_non_null(out);
	fclose(out);
	setenv("RECOW_SCENARIOS", dir, 1);
	assert_int_equal(scenario_find("mine", path, sizeof(path), &e), 0);
	assert_string_equal(path, file);
	assert_int_equal(scenario_find("./other.ini", path, sizeof(path), &e), 0);
	assert_string_equal(path, "./other.ini");
	assert_int_equal(scenario_find("mien", path, sizeof(path), &e), -1);
	assert_string_equal(e.text, "unknown scenario 'mien'; did you mean 'mine'?");
	assert_int_equal(scenario_each(count_one, &seen), 1);
	assert_int_equal(seen, 1);
	unlink(file);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_keep_their_order_and_lines),
		cmocka_unit_test(indented_lines_go_on),
		cmocka_unit_test(errors_name_file_and_line),
		cmocka_unit_test(pipes_are_not_waited_for),
		cmocka_unit_test(scenarios_are_found_by_name_or_path),
	};

	return cmocka_run_group_tests_name("scenario", tests, NULL, NULL);
}
