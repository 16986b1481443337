/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/program.h"
#include "tests/unit/unit.h"

static void assert_words(const char *text, const char *const *expected)
{
	struct error e;
	char **words = words_split(text, &e);
	size_t n = 0;

	assert_non_null(words);
	for (; expected[n]; n++) {
		assert_non_null(words[n]);
		assert_string_equal(words[n], expected[n]);
	}
	assert_null(words[n]);
	free(words);
}

static void words_are_split_as_in_a_shell(void **state)
{
	struct error e;

	assert_words("", (const char *const[]){NULL});
	assert_words("  \t ", (const char *const[]){NULL});
	assert_words("-d dup  -m dup", (const char *const[]){"-d", "dup", "-m", "dup", NULL});
	assert_words("-L 'a b' \"c d\"e", (const char *const[]){"-L", "a b", "c de", NULL});
	assert_words("''", (const char *const[]){"", NULL});
	assert_words("a\\ b 'c\\d' \"e\\\"f\"", (const char *const[]){"a b", "c\\d", "e\"f", NULL});
	assert_words("$(reboot) *.c $HOME", (const char *const[]){"$(reboot)", "*.c", "$HOME", NULL});
	assert_words("a b c d e f g", (const char *const[]){"a", "b", "c", "d", "e", "f", "g", NULL});
	assert_null(words_split("-L 'a", &e));
	assert_int_equal(e.exit, EXIT_USAGE);
}

/* As a shell understands it. bash: it alone is sure to know $'...'. */
static void assert_quoted(const char *text, const char *quoted)
{
	char buf[256], command[300], log[] = "/tmp/recow-program-XXXXXX", back[64];
	const char *argv[] = {"bash", "-c", command, NULL};
	struct program p = {.argv = argv, .log = log};
	struct program_end end;
	struct error e;
	ssize_t n;
	int fd = mkstemp(log);

	assert_true(fd >= 0);
	assert_string_equal(shell_quote(buf, sizeof(buf), text), quoted);
	snprintf(command, sizeof(command), "printf %%s %s", buf);
	assert_int_equal(program_run(&p, &end, &e), 0);
	n = read(fd, back, sizeof(back) - 1);
	assert_true(n >= 0);
	back[n] = '\0';
	assert_string_equal(back, text);
	close(fd);
	unlink(log);
}

static void a_shell_reads_what_was_quoted(void **state)
{
	char small[8];

	assert_quoted("/var/tmp/a-b_1", "/var/tmp/a-b_1");
	assert_quoted("", "''");
	assert_quoted("a b;$x`y`\\\"", "'a b;$x`y`\\\"'");
	assert_quoted("it's", "'it'\\''s'");
	assert_quoted("it's\n2\\t", "$'it\\047s\\0122\\134t'");
	assert_quoted("caf\xc3\xa9", "'caf\xc3\xa9'");
	assert_string_equal(shell_quote(small, sizeof(small), "a b c d"), "'a b c ");
}

static void programs_are_found(void **state)
{
	char path[4096];

	assert_non_null(program_find(path, sizeof(path), "sh"));
	assert_int_equal(access(path, X_OK), 0);
	assert_null(program_find(path, sizeof(path), "no-such-program-here"));
	assert_non_null(program_find(path, sizeof(path), "/bin/sh"));
}

static int run(const char *script, const char *log, const _Atomic bool *stop, uint64_t limit,
	       struct program_end *end)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct program p = {.argv = argv, .log = log, .stop = stop, .limit = limit};
	struct error e;

	return program_run(&p, end, &e);
}

static void ends_are_told_apart(void **state)
{
	struct program_end end;

	assert_int_equal(run("exit 7", NULL, NULL, 0, &end), 0);
	assert_true(end.exited);
	assert_int_equal(end.status, 7);
	assert_int_equal(run("kill -SEGV $$", NULL, NULL, 0, &end), 0);
	assert_false(end.exited);
	assert_int_equal(end.signal, SIGSEGV);
}

static void missing_programs_are_errors(void **state)
{
	const char *argv[] = {"no-such-program-here", NULL};
	struct program p = {.argv = argv};
	struct program_end end;
	struct error e;

	assert_int_equal(program_run(&p, &end, &e), -1);
	assert_int_equal(e.exit, EXIT_CANNOT);
	assert_non_null(strstr(e.text, "no-such-program-here"));
}

/* The whole group is killed: a child that outlives the shell would hold the log open. */
static void the_slow_are_killed(void **state)
{
	_Atomic bool stop = true;
	struct program_end end;
	uint64_t start = clock_mono();

	assert_int_equal(run("sleep 60", NULL, &stop, 0, &end), 0);
	assert_true(end.stopped);
	assert_int_equal(run("sleep 60; :", NULL, NULL, 100 * NSEC_PER_MSEC, &end), 0);
	assert_true(end.overtime);
	assert_int_equal(end.signal, SIGKILL);
	assert_true(clock_mono() - start < 10 * NSEC_PER_SEC);
}

static void output_is_appended_in_the_C_locale(void **state)
{
	char log[] = "/tmp/recow-program-XXXXXX", tail[256];
	struct program_end end;
	int fd = mkstemp(log);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(run("echo first", log, NULL, 0, &end), 0);
	assert_int_equal(run("echo $LC_ALL; echo 'two\tx' >&2; cat", log, NULL, 0, &end), 0);
	assert_int_equal(end.log, 6);
	assert_string_equal(program_excerpt(tail, sizeof(tail), log, end.log), "C | two?x");
	assert_string_equal(program_excerpt(tail, sizeof(tail), log, 0), "first | C | two?x");
	assert_int_equal(run("echo begin; seq 1000; echo end", log, NULL, 0, &end), 0);
	program_excerpt(tail, sizeof(tail), log, end.log);
	assert_int_equal(strncmp(tail, "begin | 1 | 2", 13), 0);
	assert_non_null(strstr(tail, " ... "));
	assert_string_equal(tail + strlen(tail) - 12, "| 1000 | end");
	unlink(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_as_in_a_shell),
		cmocka_unit_test(a_shell_reads_what_was_quoted),
		cmocka_unit_test(programs_are_found),
		cmocka_unit_test(ends_are_told_apart),
		cmocka_unit_test(missing_programs_are_errors),
		cmocka_unit_test(the_slow_are_killed),
		cmocka_unit_test(output_is_appended_in_the_C_locale),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
