/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory at the top of what is served that no request sees: files that were removed wait there for their
 * return. (A file without a name can't be given one again, unless it was made so.)
 */
#ifndef MUTANTS_FS_CELLAR_H
#define MUTANTS_FS_CELLAR_H

#include "mutants/fs/fs.h"

/* Make it; 0 or -errno. cellar_close() removes it with all that is left in it. */
int cellar_open(struct fs *fs);
void cellar_close(struct fs *fs);

/* Is this the cellar's own name? */
bool cellar_hides(const struct fs *fs, const struct inode *directory, const char *name);

#endif
