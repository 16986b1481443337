/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/quota.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/base/program.h"
#include "src/base/units.h"

#define LIMIT (300 * NSEC_PER_SEC)

static bool begins(const char *line, const char *const *words)
{
	for (; *words; words++) {
		if (strncmp(line, *words, strlen(*words)) == 0)
			return true;
	}
	return false;
}

bool quota_is_all(const char *output)
{
	/* What it says of every filesystem, and of groups. */
	static const char *const known[] = {"[",
					    "Opening ",
					    "Checking filesystem",
					    "UUID: ",
					    "found ",
					    "total ",
					    "btree space waste",
					    "file data blocks",
					    " ref",
					    "our:",
					    "disk:",
					    "diff:",
					    "\n",
					    "Counts for qgroup id: ",
					    NULL};
	bool counts = false;

	for (const char *line = output; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (!begins(line, known))
			return false;
		counts |= strncmp(line, "Counts for qgroup", 17) == 0;
	}
	return counts;
}

/* The status is the first item of its tree, so a part of what is printed is enough. */
static bool says_inconsistent(const char *log, off_t from)
{
	char text[8192];
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, from);
	const char *status;

	if (fd >= 0)
		close(fd);
	text[MAX(got, 0)] = '\0';
	status = strstr(text, "QGROUP_STATUS 0) itemoff");
	status = status ? strstr(status, " flags ") : NULL;
	return status && memmem(status, strcspn(status, "\n"), "INCONSISTENT", strlen("INCONSISTENT"));
}

int quota_is_given_up(const struct verification *v, struct error *e)
{
	const char *argv[] = {"btrfs", "inspect-internal", "dump-tree", "-t",
			      "quota", v->target->device,  NULL};
	struct program p = {.argv = argv, .log = v->log, .stop = v->stop, .limit = LIMIT};
	struct program_end end;

	if (program_run(&p, &end, e) < 0)
		return -1;
	if (end.stopped || end.overtime || end.signal || end.status)
		return 0;
	return says_inconsistent(v->log, end.log);
}
