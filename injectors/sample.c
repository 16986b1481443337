/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "injectors/walk.h"

/* Walks that end at a directory, or nowhere, are tried again: this often for each file. */
#define TRIES_PER_FILE 4

/* An entry of pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_FRAME   ((1ULL << 55) - 1)

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t frame_of(int pagemap, const void *address)
{
	uint64_t entry;
	off_t at = (off_t)((uintptr_t)address / page_size() * sizeof(entry));

	if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry) || !(entry & PAGEMAP_PRESENT))
		return 0;
	return entry & PAGEMAP_FRAME;
}

/* The frames of the window's cached pages, `most` of them; where `only` is given, of those alone that have
 * one there. */
static unsigned int look(int pagemap, int fd, uint64_t offset, const uint64_t *only, unsigned int most,
			 uint64_t frame[SAMPLE_WINDOW])
{
	size_t bytes = SAMPLE_WINDOW * page_size();
	unsigned char cached[SAMPLE_WINDOW];
	unsigned int found = 0;
	char *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)offset);

	if (map == MAP_FAILED)
		return 0;
	if (mincore(map, bytes, cached))
		most = 0;
	for (unsigned int i = 0; i < SAMPLE_WINDOW; i++) {
		char *page = map + i * page_size();

		frame[i] = 0;
		/* Populating doesn't raise SIGBUS where the file has become shorter. */
		if (found == most || !(cached[i] & 1) || (only && !only[i]) ||
		    madvise(page, page_size(), MADV_POPULATE_READ))
			continue;
		frame[i] = frame_of(pagemap, page);
		found += frame[i] != 0;
	}
	munmap(map, bytes);
	return found;
}

static bool add_file(struct sample *s, int fd, struct stream *random)
{
	struct sample_file *f = &s->file[s->count];
	uint64_t window = SAMPLE_WINDOW * page_size();
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return false;
	*f = (struct sample_file){.fd = fd};
	if ((uint64_t)st.st_size > window)
		f->offset =
			stream_below(random, ((uint64_t)st.st_size - window) / page_size() + 1) * page_size();
	if (!look(s->pagemap, fd, f->offset, NULL, SAMPLE_PAGES, f->frame))
		return false;
	s->count++;
	return true;
}

int sample_possible(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), err = 0;
	volatile char here = 1; /* on the stack, hence present */

	if (fd < 0)
		return errno;
	if (!here || !frame_of(fd, (const void *)(uintptr_t)&here))
		err = EPERM;
	close(fd);
	return err;
}

void sample_begin(struct sample *s, int root, struct stream *random)
{
	struct walk_file file;

	s->count = 0;
	s->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (s->pagemap < 0)
		return;
	for (unsigned int i = 0; i < SAMPLE_FILES * TRIES_PER_FILE && s->count < SAMPLE_FILES; i++) {
		if (!walk_random(root, random, &file) && !add_file(s, file.fd, random))
			close(file.fd);
	}
}

static void compare(struct sample *s, const struct sample_file *f, struct sample_result *out)
{
	uint64_t now[SAMPLE_WINDOW];

	if (!look(s->pagemap, f->fd, f->offset, f->frame, SAMPLE_PAGES, now))
		return;
	out->files++;
	for (unsigned int i = 0; i < SAMPLE_WINDOW; i++) {
		out->pages += now[i] != 0;
		out->moved += now[i] && now[i] != f->frame[i];
	}
}

void sample_end(struct sample *s, struct sample_result *out)
{
	*out = (struct sample_result){0};
	for (unsigned int i = 0; i < s->count; i++) {
		compare(s, &s->file[i], out);
		close(s->file[i].fd);
	}
	if (s->pagemap >= 0)
		close(s->pagemap);
	s->count = 0;
}
