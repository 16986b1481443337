/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cachestat(2) where the kernel has it (Linux 6.5): one call, and no lock that threads share. Before,
 * mincore(2) on a mapping, which takes the process's map lock twice: two threads on small files were no
 * faster than one. A probe by RWF_NOWAIT reads would fill the cache that it asks about. */
#include "verify/resident.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WINDOW_BLOCKS 16384U /* mincore is asked about at once */

/* Headers older than the kernel lack it. The number is the same on all architectures. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* linux/mman.h: struct cachestat_range, struct cachestat */
struct range {
	uint64_t offset, length;
};

struct counts {
	uint64_t cached, dirty, writeback, evicted, recently_evicted; /* pages */
};

static bool counted(int fd, uint64_t length, uint64_t *pages)
{
	struct range range = {0, length};
	struct counts counts;

	if (syscall(SYS_cachestat, fd, &range, &counts, 0) != 0)
		return false;
	*pages = counts.cached;
	return true;
}

static uint64_t mapped_pages(int fd, uint64_t first, size_t count, size_t page)
{
	size_t length = count * BLOCK_SIZE;
	unsigned char seen[WINDOW_BLOCKS];
	uint64_t resident = 0;
	void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t)(first * BLOCK_SIZE));

	if (map == MAP_FAILED)
		return 0;
	if (mincore(map, length, seen) == 0) {
		for (size_t i = 0; i < div_up_u64(length, page); i++)
			resident += seen[i] & 1;
	}
	munmap(map, length);
	return resident;
}

uint64_t resident_blocks(int fd, uint64_t blocks)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t pages = 0;

	if (!counted(fd, blocks * BLOCK_SIZE, &pages)) {
		for (uint64_t at = 0; at < blocks; at += WINDOW_BLOCKS)
			pages += mapped_pages(fd, at, (size_t)MIN(blocks - at, WINDOW_BLOCKS), page);
	}
	return pages * (page / BLOCK_SIZE);
}
