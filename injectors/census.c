/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/census.h"

#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <string.h>
#include <unistd.h>

/* Frames looked at with one read of each file: a stretch. */
#define CHUNK 512U

void census_open(struct census *c)
{
	c->flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	c->cgroups = open("/proc/kpagecgroup", O_RDONLY | O_CLOEXEC);
}

void census_close(struct census *c)
{
	if (c->flags >= 0)
		close(c->flags);
	if (c->cgroups >= 0)
		close(c->cgroups);
	c->flags = c->cgroups = -1;
}

static bool has(uint64_t flags, unsigned int flag)
{
	return flags >> flag & 1;
}

static bool is_file_page(uint64_t flags)
{
	return has(flags, KPF_LRU) && !has(flags, KPF_ANON) && !has(flags, KPF_SWAPBACKED);
}

static void count_page(uint64_t flags, struct census_count *out)
{
	if (!is_file_page(flags))
		return;
	out->cached++;
	out->dirty += has(flags, KPF_DIRTY);
	out->writeback += has(flags, KPF_WRITEBACK);
}

/* One 64-bit word per page frame. Returns how many were read. */
static size_t read_words(int fd, uint64_t first, size_t count, uint64_t *out)
{
	ssize_t got = pread(fd, out, count * sizeof(*out), (off_t)(first * sizeof(*out)));

	return got < 0 ? 0 : (size_t)got / sizeof(*out);
}

int census_take(const struct census *c, uint64_t cgroup, uint64_t first, uint64_t count, unsigned int sample,
		struct census_count *out)
{
	uint64_t flags[CHUNK], cgroups[CHUNK];

	*out = (struct census_count){0};
	if (c->flags < 0 || c->cgroups < 0 || !cgroup)
		return -1;
	for (uint64_t at = 0; at < count; at += (uint64_t)CHUNK * sample) {
		size_t want = MIN(count - at, (uint64_t)CHUNK);

		if (read_words(c->flags, first + at, want, flags) != want ||
		    read_words(c->cgroups, first + at, want, cgroups) != want) {
			*out = (struct census_count){0};
			return -1;
		}
		for (size_t i = 0; i < want; i++) {
			if (cgroups[i] == cgroup)
				count_page(flags[i], out);
		}
	}
	out->cached *= sample;
	out->dirty *= sample;
	out->writeback *= sample;
	return 0;
}

/* The cgroups of a chunk; zeroes where they don't matter. */
static bool read_cgroups(const struct census *c, uint64_t cgroup, uint64_t first, size_t count, uint64_t *out)
{
	if (cgroup)
		return read_words(c->cgroups, first, count, out) == count;
	memset(out, 0, count * sizeof(*out));
	return true;
}

size_t census_find_dirty(const struct census *c, uint64_t cgroup, uint64_t first, uint64_t count,
			 uint64_t *out, size_t room)
{
	uint64_t flags[CHUNK], cgroups[CHUNK];
	size_t found = 0;

	while (count && found < room) {
		size_t want = MIN(count, (uint64_t)CHUNK);

		if (read_words(c->flags, first, want, flags) != want ||
		    !read_cgroups(c, cgroup, first, want, cgroups))
			break;
		for (size_t i = 0; i < want && found < room; i++) {
			if (cgroups[i] == cgroup && is_file_page(flags[i]) && has(flags[i], KPF_DIRTY))
				out[found++] = first + i;
		}
		first += want;
		count -= want;
	}
	return found;
}

uint64_t census_cgroup(const struct census *c, uint64_t pfn)
{
	uint64_t inode;

	return read_words(c->cgroups, pfn, 1, &inode) == 1 ? inode : 0;
}

uint64_t census_flags(const struct census *c, uint64_t pfn)
{
	uint64_t flags;

	return read_words(c->flags, pfn, 1, &flags) == 1 ? flags : 0;
}
