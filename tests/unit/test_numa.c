/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numa injector with the one node that every machine has as its own neighbour: the system calls, without
 * anything that moves. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/injection.h"

extern const struct injector injector_numa;

static size_t nodes;
static char notes[1024];

size_t machine_list(const char *path, unsigned int *out, size_t room)
{
	assert_string_equal(path, "/sys/devices/system/node/has_memory");
	memset(out, 0, nodes * sizeof(*out));
	return nodes;
}

uint64_t machine_vmstat(const char *name)
{
	assert_string_equal(name, "pgmigrate_success");
	return 1000;
}

void machine_note(struct machine *m, const char *who, const char *text)
{
	size_t used = strlen(notes);

	snprintf(notes + used, sizeof(notes) - used, "%s\n", text);
}

static char directory[] = "/var/tmp/recow-numa-XXXXXX";

static int start(size_t count, const char *arg)
{
	struct error e;

	nodes = count;
	notes[0] = '\0';
	make_injection(&injector_numa, arg);
	params.value[0] = 0; /* pause */
	in.target = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	in.churn = (pid_t)syscall(SYS_gettid);
	if (injector_numa.start(&in, &e))
		return -1;
	return injector_numa.phase(&in, &e);
}

static void end(void)
{
	if (in.state && injector_numa.rest && nodes > 1)
		injector_numa.rest(&in);
	injector_numa.finish(&in);
	close(in.target);
}

static void one_node_is_not_enough(void **state)
{
	assert_int_equal(start(1, ""), -1);
	end();
}

/* Every page is asked for and answers with its node; none counts as moved. */
static void pages_stay_on_the_same_node(void **state)
{
	unsigned int refused = 0;

	assert_int_equal(start(2, "cache"), 0);
	for (unsigned int i = 0; i < 50; i++) {
		enum step step = injector_numa.step(&in);

		assert_int_not_equal(step, STEP_DONE);
		refused += step == STEP_REFUSED;
	}
	assert_true(refused > 25);
	assert_int_equal(atomic_load(&exposure.pages), 0);
	assert_string_equal(notes, "");
	end();
}

static void processes_stay_on_the_same_node(void **state)
{
	if (geteuid())
		skip();
	assert_int_equal(start(2, "churn"), 0);
	assert_int_equal(injector_numa.step(&in), STEP_IDLE);
	assert_string_equal(in.idle_reason, "churn has nothing on node 0");
	assert_string_equal(notes, "");
	in.churn = 0;
	assert_int_equal(injector_numa.step(&in), STEP_IDLE);
	assert_string_equal(in.idle_reason, "churn has no worker yet");
	end();
}

static int make_directory(void **state)
{
	static char content[5000];
	char path[64];
	int fd;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
	fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, content, sizeof(content)), sizeof(content));
	return close(fd);
}

static int remove_directory(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/file", directory);
	unlink(path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_node_is_not_enough),
		cmocka_unit_test(pages_stay_on_the_same_node),
		cmocka_unit_test(processes_stay_on_the_same_node),
	};

	return cmocka_run_group_tests_name("numa", tests, make_directory, remove_directory);
}
