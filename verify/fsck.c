/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filesystem's own checker on the unmounted target, without repairing anything. It sees structure, not
 * content: `btrfs check` passes damaged data.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/program.h"
#include "src/base/units.h"
#include "verify/behind.h"
#include "verify/quota.h"
#include "verify/verifier.h"

/* A check of a large device may take long; one that never ends is not waited for. */
#define LIMIT (2 * 3600 * NSEC_PER_SEC)

/* What a checker's end means. */
enum judgement { CLEAN, DAMAGED, COULD_NOT };

struct checker {
	const char *fs;
	const char *argv[4]; /* before the device */
	enum judgement (*judge)(int status, const char *output);
	const char *const *banner;  /* lines that begin so tell nothing */
	const char *const *excused; /* said of damage that it got around, ending with 0; NULL: it does not */
	const char *vague;          /* all that it says of some images that are sound; NULL: nothing is */
	const char *second[4];      /* another way to check, asked then */
	/* Is all that it says about what this filesystem leaves when it is cut off, and gets around? May be
	 * NULL. */
	bool (*left_over)(const struct checker *c, const char *output);
};

static bool says(const char *output, const char *const *words)
{
	for (; *words; words++)
		if (strstr(output, *words))
			return true;
	return false;
}

/* btrfs check ends with 1 both for damage and for what it could not do. A filesystem that can't be opened
 * counts as damaged ("cannot open file system"), a device that can't be opened does not. */
static enum judgement judge_btrfs(int status, const char *output)
{
	static const char *const could_not[] = {
		"is currently mounted", "No such file or directory",
		"Permission denied",    "Device or resource busy",
		"unrecognized option",  "invalid option",
		"not enough memory",    NULL,
	};

	if (status == 0)
		return CLEAN;
	return says(output, could_not) ? COULD_NOT : DAMAGED;
}

/* e2fsck(8): 1, 2, 4 are bits for errors on the filesystem; 8 an operational error, which a superblock beyond
 * recognition is too; 16 usage, 32 cancelled, 128 a library. */
static enum judgement judge_ext(int status, const char *output)
{
	static const char *const unreadable[] = {"Bad magic number", "superblock", "corrupt", NULL};
	static const char *const could_not[] = {"is mounted", "is in use", "No such file or directory",
						"Permission denied", NULL};

	if (status == 0)
		return CLEAN;
	if (status & 7)
		return DAMAGED;
	return status == 8 && says(output, unreadable) && !says(output, could_not) ? DAMAGED : COULD_NOT;
}

/* xfs_repair(8) -n: 1 damage (or what it could not do), 2 a dirty log, which a clean unmount does not leave.
 */
static enum judgement judge_xfs(int status, const char *output)
{
	static const char *const could_not[] = {"contains a mounted",
						"No such file or directory",
						"Permission denied",
						"cannot open",
						"Usage:",
						NULL};

	if (status == 0)
		return CLEAN;
	return status <= 2 && !says(output, could_not) ? DAMAGED : COULD_NOT;
}

static const char *const banner_btrfs[] = {"Opening filesystem to check",
					   "Checking filesystem on",
					   "UUID: ",
					   "[",
					   "found ",
					   "total ",
					   "btree space",
					   "file data blocks",
					   " referenced",
					   NULL};
static const char *const banner_ext[] = {"e2fsck ", "Pass ", NULL};
static const char *const banner_xfs[] = {"Phase ", "        - ", "No modify flag set", NULL};

/* Where one copy of a block is bad and another good, btrfs check takes the other and finds no error. */
static const char *const excused_btrfs[] = {"checksum verify failed on ", "parent transid verify failed on ",
					    "bad tree block ", "bytenr mismatch", NULL};

static bool is_banner(const char *line, const char *const *banner)
{
	for (; *banner; banner++)
		if (strncmp(line, *banner, strlen(*banner)) == 0)
			return true;
	return *line == '\0';
}

/* Is it about an attribute of an inode of which another line says that one is incomplete? */
static bool is_about_incomplete(const char *line, const char *output)
{
	unsigned long long inode;
	char said[64];

	if (sscanf(line, "attribute entry #%*u in attr block %*u, inode %llu is", &inode) != 1 &&
	    sscanf(line, "problem with attribute contents in inode %llu", &inode) != 1 &&
	    sscanf(line, "bad nblocks %*u for inode %llu, would", &inode) != 1 &&
	    sscanf(line, "bad anextents %*u for inode %llu, would", &inode) != 1)
		return strcmp(line, "would clear attr fork") == 0;
	snprintf(said, sizeof(said), ", inode %llu is INCOMPLETE", inode);
	return strstr(output, said) != NULL;
}

/* XFS_ATTR_INCOMPLETE (fs/xfs/libxfs/xfs_da_format.h): "attr in middle of create/delete". An attribute that
 * can't be set in one transaction is marked so until it is; cut off in between, the mark stays, nobody sees
 * the attribute, and xfs_repair clears it away. */
static bool is_incomplete_attribute(const struct checker *c, const char *output)
{
	char line[256];
	bool any = false;

	for (const char *at = output; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		if (is_banner(line, c->banner))
			continue;
		if (!is_about_incomplete(line, output))
			return false;
		any = true;
	}
	return any;
}

/* An extent tree that could be shorter is no error, yet e2fsck would count the offer to shorten it as one. */
static const struct checker checkers[] = {
	{"btrfs",
	 {"btrfs", "check", "--readonly"},
	 judge_btrfs,
	 banner_btrfs,
	 excused_btrfs,
	 "ERROR: errors found in fs roots",
	 {"btrfs", "check", "--readonly", "--mode=lowmem"},
	 NULL},
	{.fs = "ext4", {"e2fsck", "-fn", "-E", "no_optimize_extents"}, judge_ext, banner_ext},
	{.fs = "ext3", {"e2fsck", "-fn", "-E", "no_optimize_extents"}, judge_ext, banner_ext},
	{.fs = "ext2", {"e2fsck", "-fn", "-E", "no_optimize_extents"}, judge_ext, banner_ext},
	{.fs = "xfs", {"xfs_repair", "-n"}, judge_xfs, banner_xfs, .left_over = is_incomplete_attribute},
};

static const struct checker *find_checker(const char *fs)
{
	for (size_t i = 0; i < ARRAY_SIZE(checkers); i++)
		if (strcmp(checkers[i].fs, fs) == 0)
			return &checkers[i];
	return NULL;
}

/* The first part of what the checker printed. The caller frees it; NULL: out of memory. */
static char *read_output(const char *log, off_t from)
{
	size_t room = 256 * KiB;
	char *text = malloc(room + 1);
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 || !text ? 0 : pread(fd, text, room, from);

	if (fd >= 0)
		close(fd);
	if (text)
		text[got > 0 ? got : 0] = '\0';
	return text;
}

/* The first telling lines, as many as fit, in one. */
static void telling_lines(char *buf, size_t len, char *output, const char *const *banner)
{
	char *save = NULL;
	size_t used = 0;

	buf[0] = '\0';
	for (char *line = strtok_r(output, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (is_banner(line, banner))
			continue;
		if (used + 8 >= len)
			break;
		used += (size_t)snprintf(buf + used, len - used, "%s", used ? " | " : "");
		bytes_escape(buf + used, len - used, line, strlen(line));
		used = strlen(buf);
	}
}

static void report(const struct verification *v, const char *detail)
{
	struct finding *f = calloc(1, sizeof(*f));

	if (!f)
		return;
	f->class = FINDING_FSCK;
	f->place = SEEN_OFFLINE;
	snprintf(f->verifier, sizeof(f->verifier), "fsck");
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
	finding_emit(v->findings, f);
	free(f);
}

/* The checker died by a signal. By its own fault (SIGSEGV, SIGABRT: btrfs check asserts) it is a finding: it
 * gets through every sound image, and silence here would pass an image that it could not even read. Killed
 * from outside (out of memory, someone) it says nothing about the target. */
static int judge_death(const struct verification *v, const struct checker *c, int signal, struct error *e)
{
	char detail[400];

	if (signal != SIGSEGV && signal != SIGABRT && signal != SIGBUS && signal != SIGFPE &&
	    signal != SIGILL)
		return error_set(e, EXIT_CANNOT, "%s was killed by signal %d (%s)", c->argv[0], signal,
				 strsignal(signal));
	snprintf(detail, sizeof(detail),
		 "%s crashed on this filesystem (signal %d, %s); what it said is in %s", c->argv[0], signal,
		 strsignal(signal), v->log);
	report(v, detail);
	return 0;
}

/* Run a checker to its end, whichever that is. Returns its output, to be freed; NULL with the error. */
static char *run_checker(const struct verification *v, const char *const *words, struct program_end *end,
			 struct error *e)
{
	const char *argv[ARRAY_SIZE(checkers[0].argv) + 2] = {NULL};
	struct program p = {.argv = argv, .log = v->log, .stop = v->stop, .limit = LIMIT};
	char *output = NULL;
	size_t n = 0;

	for (; n < ARRAY_SIZE(checkers[0].argv) && words[n]; n++)
		argv[n] = words[n];
	argv[n] = v->target->device;
	if (program_run(&p, end, e) < 0)
		return NULL;
	if (end->stopped) {
		error_errno(e, EXIT_HARNESS, ECANCELED, "%s was stopped before it was done", argv[0]);
	} else if (end->overtime) {
		error_errno(e, EXIT_HARNESS, ETIME, "%s did not end within two hours", argv[0]);
	} else {
		output = read_output(v->log, end->log);
		if (!output)
			error_set(e, EXIT_HARNESS, "out of memory");
	}
	return output;
}

/* Of a filesystem that was cut off, btrfs check may say that there are errors and name none, where its other
 * mode finds nothing (docs/vm.md, "Power cut"). Is it so here? Returns 1, 0, or -1 with the error. */
static int is_vague(const struct verification *v, const struct checker *c, const char *lines, struct error *e)
{
	struct program_end end;
	char *output;

	if (!v->durable || !c->vague || strcmp(lines, c->vague) != 0)
		return 0;
	output = run_checker(v, c->second, &end, e);
	if (!output)
		return -1;
	free(output);
	return !end.signal && end.status == 0;
}

/* Is all that it says known to be said of sound filesystems, and is this one sound there? Returns 1, 0, or -1
 * with the error. */
static int is_known(const struct verification *v, const char *output, struct error *e)
{
	if (quota_is_all(output))
		return quota_is_given_up(v, e);
	return behind_is_all(output) ? behind_is_right(v, output, e) : 0;
}

static int judge_exit(const struct verification *v, const struct checker *c, int status, char *output,
		      struct error *e)
{
	enum judgement judgement = c->judge(status, output);
	char lines[360], detail[500];
	int excused = 0;

	if (judgement == CLEAN && !(c->excused && says(output, c->excused)))
		return 0;
	if (judgement == DAMAGED)
		excused = is_known(v, output, e);
	if (judgement == DAMAGED && !excused)
		excused = v->durable && c->left_over && c->left_over(c, output);
	telling_lines(lines, sizeof(lines), output, c->banner);
	if (judgement == DAMAGED && !excused)
		excused = is_vague(v, c, lines, e);
	if (excused)
		return excused < 0 ? -1 : 0;
	if (judgement == COULD_NOT)
		return error_set(e, EXIT_CANNOT, "%s could not check %s (exit status %d): %s", c->argv[0],
				 v->target->device, status, lines);
	snprintf(detail, sizeof(detail), "%s %s ended with %d: %s", c->argv[0], c->argv[1], status,
		 lines[0] ? lines : "it gave no reason");
	report(v, detail);
	return 0;
}

static int check(const struct verification *v, const struct checker *c, struct error *e)
{
	struct program_end end;
	char *output;
	int rc;

	output = run_checker(v, c->argv, &end, e);
	if (!output)
		return -1;
	rc = end.signal ? judge_death(v, c, end.signal, e) : judge_exit(v, c, end.status, output, e);
	free(output);
	return rc;
}

/* Stopped, it returns -1 with err ECANCELED: half a check is none. */
static int run(struct verification *v, struct error *e)
{
	const struct checker *c = find_checker(v->target->spec.fs);

	if (!c)
		return error_set(e, EXIT_CANNOT, "recow knows no checker for %s", v->target->spec.fs);
	return check(v, c, e);
}

const struct verifier verifier_fsck = {
	.name = "fsck",
	.summary = "the filesystem's own checker on the unmounted target (btrfs check, e2fsck, xfs_repair)",
	.needs = NEED_ROOT | NEED_OWN_TARGET | NEED_FSCK,
	.when = VERIFY_OFFLINE,
	.run = run,
};
