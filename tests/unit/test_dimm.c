/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The port on which a host plugs and unplugs memory modules: a terminal stands for it, a thread for the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "src/machine/dimm.h"
#include "tests/unit/unit.h"

struct host {
	int master, slave;
	const char *port;
	const char *before; /* said ahead of each answer: to somebody who is gone */
	const char *answer; /* NULL: none */
	char asked[128];    /* without the tag */
	pthread_t thread;
};

static void serve_one(struct host *h, char *line)
{
	char out[512], *request = strchr(line, ' ');

	*request++ = '\0';
	snprintf(h->asked, sizeof(h->asked), "%s", request);
	if (!h->answer)
		return;
	snprintf(out, sizeof(out), "%s%s %s\n", h->before, line, h->answer);
	if (write(h->master, out, strlen(out)) < 0)
		abort();
}

static void *serve(void *self)
{
	struct host *h = self;
	FILE *in = fdopen(dup(h->master), "r");
	char line[256];

	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "end"))
			break;
		serve_one(h, line);
	}
	fclose(in);
	return NULL;
}

/* The slave stays open, as a port does between two who ask. */
static int host_start(struct host *h, const char *before, const char *answer)
{
	struct termios raw;

	*h = (struct host){.master = posix_openpt(O_RDWR | O_NOCTTY), .before = before, .answer = answer};
	if (h->master < 0 || grantpt(h->master) || unlockpt(h->master))
		return -1;
	h->port = ptsname(h->master);
	h->slave = open(h->port, O_RDWR | O_NOCTTY);
	if (tcgetattr(h->slave, &raw))
		return -1;
	cfmakeraw(&raw);
	return tcsetattr(h->slave, TCSANOW, &raw) || pthread_create(&h->thread, NULL, serve, h) ? -1 : 0;
}

static void host_end(struct host *h)
{
	assert_int_equal(write(h->slave, "end\n", 4), 4);
	pthread_join(h->thread, NULL);
	close(h->slave);
	close(h->master);
}

static void modules_are_listed(void **state)
{
	struct dimm d[4];
	struct host h;
	size_t count;

	assert_int_equal(host_start(&h, "", "dimms 1 4563402752 268435456 0 0 134217728"), 0);
	assert_int_equal(dimm_list(h.port, d, 4, &count), 0);
	assert_string_equal(h.asked, "list");
	assert_int_equal(count, 2);
	assert_true(d[0].plugged && d[0].start == 4563402752 && d[0].length == 268435456);
	assert_true(!d[1].plugged && d[1].start == 0 && d[1].length == 134217728);
	assert_int_equal(dimm_list(h.port, d, 1, &count), 0);
	assert_int_equal(count, 1);
	host_end(&h);
}

static void answers_are_errnos(void **state)
{
	static const struct {
		const char *answer;
		int err;
	} cases[] = {{"ok", 0}, {"busy", EBUSY}, {"none", ENODEV}, {"what", EPROTO}, {"okay", EPROTO}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host h;

		assert_int_equal(host_start(&h, "", cases[i].answer), 0);
		assert_int_equal(dimm_change(h.port, 3, i % 2, NSEC_PER_SEC * 10), cases[i].err);
		assert_string_equal(h.asked, i % 2 ? "plug 3" : "unplug 3");
		host_end(&h);
	}
}

/* What was answered to a hand that was killed is not taken for the answer to the next. */
static void late_answers_are_skipped(void **state)
{
	struct host h;

	assert_int_equal(host_start(&h, "1 ok\n17 busy\n\n", "ok"), 0);
	assert_int_equal(dimm_change(h.port, 0, true, NSEC_PER_SEC * 10), 0);
	host_end(&h);
	assert_int_equal(host_start(&h, "1 ok\n", "busy"), 0);
	assert_int_equal(dimm_change(h.port, 0, false, NSEC_PER_SEC * 10), EBUSY);
	host_end(&h);
}

static void silence_has_an_end(void **state)
{
	struct dimm d[1];
	struct host h;
	size_t count;

	assert_int_equal(host_start(&h, "", NULL), 0);
	assert_int_equal(dimm_change(h.port, 0, true, 50 * NSEC_PER_MSEC), ETIMEDOUT);
	host_end(&h);
	assert_int_equal(host_start(&h, "", "nonsense"), 0);
	assert_int_equal(dimm_list(h.port, d, 1, &count), EPROTO);
	host_end(&h);
	assert_int_equal(dimm_list("/nowhere", d, 1, &count), ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_are_listed),
		cmocka_unit_test(answers_are_errnos),
		cmocka_unit_test(late_answers_are_skipped),
		cmocka_unit_test(silence_has_an_end),
	};

	return cmocka_run_group_tests_name("dimm", tests, NULL, NULL);
}
