/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/machine/machine.h"

#define KPF_MMAP (1ULL << 11)

#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_FRAME   ((1ULL << 55) - 1)

/* Entry number `at` of a file of 8-byte entries; 0 if it can't be had. */
static uint64_t entry(const char *path, uint64_t at)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &value, sizeof(value), (off_t)(at * sizeof(value))) != (ssize_t)sizeof(value))
		value = 0;
	close(fd);
	return value;
}

/* MADV_POPULATE_READ maps without touching: a page that can't be read is an error, not a SIGBUS. */
static void look(void *map, struct finding *f)
{
	unsigned char resident = 0;
	uint64_t found, size = machine_memory_block_size();

	if (mincore(map, BLOCK_SIZE, &resident) || !(resident & 1) ||
	    madvise(map, BLOCK_SIZE, MADV_POPULATE_READ))
		return;
	found = entry("/proc/self/pagemap", (uintptr_t)map / BLOCK_SIZE);
	if (!(found & PAGEMAP_PRESENT) || !(found & PAGEMAP_FRAME))
		return;
	f->page.known = true;
	f->page.pfn = found & PAGEMAP_FRAME;
	f->page.flags = entry("/proc/kpageflags", f->page.pfn) & ~KPF_MMAP; /* this very mapping */
	f->page.block = size ? f->page.pfn * BLOCK_SIZE / size : 0;
}

void page_look(int fd, struct finding *f)
{
	void *map;

	if (sysconf(_SC_PAGESIZE) != BLOCK_SIZE)
		return;
	map = mmap(NULL, BLOCK_SIZE, PROT_READ, MAP_SHARED, fd, (off_t)(f->offset / BLOCK_SIZE * BLOCK_SIZE));
	if (map == MAP_FAILED)
		return;
	look(map, f);
	munmap(map, BLOCK_SIZE);
}
