/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/finding/looks.h"
#include "verify/data.h"
#include "verify/page.h"
#include "verify/shared.h"

struct look {
	struct check *check;
	const struct file *file;
	const struct finding *finding;
	unsigned char *buf; /* BLOCK_SIZE, aligned */
	uint64_t expected;  /* hash */
	char text[256];
};

static enum look_sight judge_buffer(struct look *l, int err)
{
	uint64_t bytes = data_bytes(l->file, l->finding->offset / BLOCK_SIZE, 1);

	if (err)
		return SIGHT_UNREADABLE;
	memset(l->buf + bytes, 0, BLOCK_SIZE - bytes);
	return content_hash(l->buf) == l->expected ? SIGHT_RIGHT : SIGHT_WRONG;
}

static int open_device(const struct target *t)
{
	const char *path = t->device[0] ? t->device : t->image;

	return t->own && path[0] ? open(path, O_RDONLY | O_DIRECT | O_CLOEXEC) : -1;
}

/* Read one block of the device as it is, past the filesystem and past the device's own page cache. */
static enum look_sight look_at_device(struct look *l, int device, uint64_t physical)
{
	ssize_t n;

	do {
		n = pread(device, l->buf, BLOCK_SIZE, (off_t)physical);
	} while (n < 0 && errno == EINTR);
	return judge_buffer(l, n == BLOCK_SIZE ? 0 : EIO);
}

static const char *why_not_there(const struct target_address *a)
{
	return a->hole          ? "a hole"
	       : a->delayed     ? "not written out yet"
	       : a->inline_data ? "inline in metadata"
	       : a->compressed  ? "compressed"
	       : a->unwritten   ? "an extent that is not written yet"
	       : !a->mirrors    ? "at an unknown place"
				: NULL;
}

static void note(struct finding *f, enum look_where where, enum look_sight sight, unsigned int mirror)
{
	if (f->looks < FINDING_LOOKS)
		f->look[f->looks++] = (struct finding_look){(uint8_t)where, (uint8_t)sight, (uint8_t)mirror};
}

static void look_at_mirrors(struct look *l, struct finding *f)
{
	const struct target *t = l->check->v->target;
	struct target_address a = {0};
	struct error ignored;
	int device;

	if (!t || target_locate(t, l->file->fd, f->offset, &a, &ignored) != 0)
		return;
	f->logical = a.logical;
	f->mirrors = MIN(a.mirrors, (unsigned int)FINDING_MIRRORS);
	for (unsigned int i = 0; i < f->mirrors; i++) {
		f->mirror[i].devid = a.mirror[i].devid;
		f->mirror[i].physical = a.mirror[i].physical;
	}
	if (why_not_there(&a)) {
		snprintf(f->not_on_disk, sizeof(f->not_on_disk), "%s", why_not_there(&a));
		text_add(l->text, sizeof(l->text), ", on disk %s", why_not_there(&a));
		return;
	}
	device = open_device(t);
	if (device < 0)
		return;
	for (unsigned int i = 0; i < f->mirrors; i++) {
		enum look_sight sight;

		if (f->mirror[i].devid > 1) /* a device that recow didn't mount */
			continue;
		sight = look_at_device(l, device, f->mirror[i].physical);
		note(f, LOOK_DEVICE, sight, i);
		text_add(l->text, sizeof(l->text), ", device at %llu %s",
			 (unsigned long long)f->mirror[i].physical, look_sight_name(sight));
	}
	close(device);
}

/* A second descriptor for the other way of reading. */
static enum look_sight look_through(struct look *l, int flags)
{
	char path[64];
	enum look_sight sight;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->file->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return SIGHT_NONE;
	sight = judge_buffer(l, data_read(l->file, fd, l->finding->offset / BLOCK_SIZE, 1, l->buf));
	close(fd);
	return sight;
}

static enum finding_fault conclude(enum look_sight cache, enum look_sight disk)
{
	bool cache_bad = cache == SIGHT_WRONG || cache == SIGHT_UNREADABLE;
	bool disk_bad = disk == SIGHT_WRONG || disk == SIGHT_UNREADABLE;

	if (disk == SIGHT_NONE)
		return cache_bad ? FAULT_CACHE_AT_LEAST : FAULT_NONE;
	if (cache_bad)
		return disk_bad ? FAULT_BOTH : FAULT_CACHE;
	return disk_bad ? FAULT_DISK : FAULT_NONE;
}

/* The expected checksum of a block that could not be read at first. */
static uint64_t expected_hash(const struct verification *v, const struct file *file, const struct finding *f)
{
	struct block_entry entry = {0};

	if (f->dumps)
		return f->expected_hash;
	if (shared_is(&file->object)) {
		unsigned char expected[BLOCK_SIZE];

		shared_regenerate(v, file->subject.object, f->offset / BLOCK_SIZE, expected);
		return content_hash(expected);
	}
	view_blocks(file->subject.view, &file->object, f->offset / BLOCK_SIZE, 1, &entry);
	return entry.hash;
}

static void append_sight(struct finding *f, const char *how, const char *where, const char *now)
{
	char text[sizeof(((struct look *)NULL)->text) + 128];

	snprintf(text, sizeof(text), "; first read %s%s; now %s", how, where, now);
	check_append(f, text);
}

void look_again(struct check *c, const struct file *file, bool direct, struct finding *f)
{
	struct look l = {
		.check = c,
		.file = file,
		.finding = f,
		.buf = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE),
		.expected = expected_hash(c->v, file, f),
	};
	enum look_sight cache, disk;
	struct stat st;

	if (!l.buf || file->fd < 0) {
		free(l.buf);
		return;
	}
	memset(l.buf, 0xff, BLOCK_SIZE); /* a direct read wants its buffer mapped (cold.c) */
	note(f, direct ? LOOK_DIRECT : LOOK_CACHE, f->class == FINDING_EIO ? SIGHT_UNREADABLE : SIGHT_WRONG,
	     0);
	f->inode = fstat(file->fd, &st) ? 0 : st.st_ino;
	page_look(file->fd, f);
	look_at_mirrors(&l, f);
	disk = look_through(&l, O_DIRECT);
	note(f, LOOK_DIRECT, disk, 0);
	cache = look_through(&l, 0);
	note(f, LOOK_CACHE, cache, 0);
	f->fault = (uint8_t)conclude(cache, disk);
	f->still = (direct ? disk : cache) != SIGHT_RIGHT;
	append_sight(f, direct ? "directly" : "through the cache", l.text,
		     fault_words((enum finding_fault)f->fault));
	free(l.buf);
}
