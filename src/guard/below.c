/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filesystem that holds the image. When it is full a sparse image can't grow, the loop device answers
 * EIO, and the filesystem under test breaks by no fault of its own.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "src/guard/state.h"
#include "src/run/rundir.h"

/* So little is as good as none: what is being written back is more. */
#define FULL (16 * MiB)

bool guard_below_full(struct guard *g)
{
	const struct target_spec *t = &g->shared->plan.target;
	char path[sizeof(g->run) + 8];
	struct statvfs fs;
	struct stat image;

	if (g->below_full || t->tmpfs || (t->kind != TARGET_AUTO && t->kind != TARGET_IMAGE))
		return g->below_full;
	rundir_path(path, sizeof(path), g->run, "image");
	if (stat(t->kind == TARGET_AUTO ? path : t->path, &image) ||
	    statvfs(t->kind == TARGET_AUTO ? path : t->path, &fs) ||
	    (uint64_t)image.st_blocks * 512 >= (uint64_t)image.st_size ||
	    (uint64_t)fs.f_bavail * fs.f_frsize >= FULL)
		return false;
	g->below_full = true;
	guard_fail(g, "the disk below the image is full: its I/O errors are not the filesystem's");
	family_stop(g);
	return true;
}
