/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/vfs.h>

#include "src/target/target.h"

uint64_t target_unit(int fd, uint64_t most)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_bsize > 0 ? MIN((uint64_t)fs.f_bsize, most) : most;
}
