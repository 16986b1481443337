// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recow-mutant-fs: serves a directory through FUSE, faithfully or with one bug (docs/mutants-fs.md).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mutants/fs/cellar.h"
#include "mutants/fs/memory.h"
#include "mutants/fs/promise.h"
#include "mutants/fs/serve.h"
#include "mutants/fs/wound.h"

#define EXIT_USAGE  2
#define EXIT_CANNOT 3

/* Linux 5.6: write requests of this process don't wait for writeback that waits for this process. */
#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

static int fail(const char *what, const char *why, int code)
{
	fprintf(stderr, "recow-mutant-fs: %s: %s\n", what, why);
	return code;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const struct mutant *find_mutant(const char *name)
{
	size_t i = 0;

	while (strcmp(fs_mutants[i]->about.name, name) != 0)
		i++;
	return fs_mutants[i];
}

static void tell_start(struct fs *fs, const struct settings *s)
{
	truth_write(&fs->truth, "start", 0,
		    json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "backing", s->backing, "mount", s->mount,
			      "seed", (json_int_t)s->chance.seed, "one_in", (json_int_t)s->chance.one_in,
			      "limit", (json_int_t)s->chance.limit, "from_ns", (json_int_t)s->chance.from_ns,
			      "until_ns", (json_int_t)s->chance.until_ns));
}

static void tell_end(struct fs *fs)
{
	truth_write(&fs->truth, "end", fs->chance.fired,
		    json_pack("{s:I, s:I, s:I}", "offered", (json_int_t)fs->chance.offered, "fired",
			      (json_int_t)fs->chance.fired, "requests", (json_int_t)fs->request));
}

/* Until a signal, or until somebody unmounts it. */
static int serve(struct fs *fs, const char *mount)
{
	int rc;

	if (fuse_set_signal_handlers(fs->session))
		return fail("signals", strerror(errno), EXIT_CANNOT);
	if (fuse_session_mount(fs->session, mount)) {
		fuse_remove_signal_handlers(fs->session);
		return fail(mount, "cannot be mounted over; mounting wants root", EXIT_CANNOT);
	}
	puts("ready");
	fflush(stdout);
	rc = fuse_session_loop(fs->session);
	fuse_session_unmount(fs->session);
	fuse_remove_signal_handlers(fs->session);
	return rc < 0 ? fail(mount, strerror(-rc), EXIT_FAILURE) : 0;
}

static int open_session(struct fs *fs)
{
	char *argv[] = {"recow-mutant-fs", "-o", "fsname=recow-mutant-fs,subtype=recow-mutant", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	fs->buffer = malloc(REQUEST_MAX);
	fs->session = fuse_session_new(&args, &serve_ops, sizeof(serve_ops), fs);
	fuse_opt_free_args(&args);
	return fs->buffer && fs->session ? 0 : -ENOMEM;
}

static void close_all(struct fs *fs)
{
	cellar_close(fs);
	if (fs->session)
		fuse_session_destroy(fs->session);
	promises_free(fs);
	wounds_free(fs);
	memory_free(fs);
	free(fs->state);
	inodes_close(fs);
	free(fs->buffer);
}

static int run(struct fs *fs, const struct settings *s)
{
	int rc;

	umask(0);
	(void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	rc = inodes_open(fs, s->backing);
	if (!rc && fs->mutant->cellar)
		rc = cellar_open(fs);

	if (!rc)
		rc = open_session(fs);
	if (!rc)
		rc = mutant_lock_memory();
	rc = rc ? fail(s->backing, strerror(-rc), EXIT_CANNOT) : serve(fs, s->mount);
	close_all(fs);
	return rc;
}

static int run_beside(struct fs *fs)
{
	const int rc = fs->mutant->beside(fs);

	return rc ? fail(fs->backing, strerror(-rc), EXIT_CANNOT) : 0;
}

static int check_places(const struct fs *fs, const struct settings *s)
{
	if (!is_directory(s->backing))
		return fail(s->backing, "is no directory", EXIT_USAGE);
	if (fs->mutant->beside)
		return 0;
	if (!is_directory(s->mount))
		return fail(s->mount, "is no directory", EXIT_USAGE);
	if (access("/dev/fuse", R_OK | W_OK))
		return fail("/dev/fuse",
			    "is not there or not for us: load the module (modprobe fuse) and be root",
			    EXIT_CANNOT);
	return 0;
}

int main(int argc, char **argv)
{
	const struct about **abouts = calloc(fs_mutant_count, sizeof(const struct about *));
	struct fs fs = {.backing_fd = -1, .cellar = -1};
	struct settings s;
	int rc;

	for (size_t i = 0; abouts && i < fs_mutant_count; i++)
		abouts[i] = &fs_mutants[i]->about;
	rc = abouts ? settings_read(&s, argc, argv, false, abouts, fs_mutant_count) : EXIT_FAILURE;
	free(abouts);
	if (rc || s.list)
		return rc;
	fs.mutant = find_mutant(s.mutant);
	fs.chance = s.chance;
	fs.backing = s.backing;
	rc = check_places(&fs, &s);
	if (rc)
		return rc;
	rc = truth_open(&fs.truth, s.truth, s.mutant);
	if (rc)
		return fail(s.truth, strerror(-rc), EXIT_USAGE);
	tell_start(&fs, &s);
	rc = fs.mutant->beside ? run_beside(&fs) : run(&fs, &s);
	tell_end(&fs);
	truth_close(&fs.truth);
	return rc;
}
