/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A random file of a tree that others change meanwhile. */
#ifndef RECOW_WALK_H
#define RECOW_WALK_H

#include "src/base/random.h"

struct walk_file {
	int fd;          /* opened for reading; the caller closes it */
	char path[4096]; /* relative to the root, escaped; cut if it is longer */
};

/*
 * Go down from the directory `root` at random until a regular file is met, or now and then stop at a
 * directory, and open it. The walk looks at a bounded number of names and levels, so files behind many others
 * are drawn seldom or never. Symbolic links are not followed. Returns 0, or -1 when it ended nowhere: an
 * empty directory, a name that went away, something that isn't a file.
 */
int walk_random(int root, struct stream *random, struct walk_file *out);

#endif
