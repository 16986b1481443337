/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "src/audit/walk.h"
#include "verify/btrfs/checksum.h"

/* One mirror on one device. */
struct mirror {
	const struct disk *disk;
	uint64_t place;
	unsigned int number;
	bool usable;
	struct super super;
	unsigned char *bytes;
};

struct reading {
	struct walk *w;
	const struct mirror *mirror;
};

static void found(void *context, const struct fault *f)
{
	const struct reading *r = context;
	struct audit_finding finding = {.rule = f->rule,
					.level = -1,
					.copy = (int)r->mirror->number + 1,
					.device = r->mirror->disk->path,
					.physical = r->mirror->place,
					.slot = -1};

	memcpy(finding.text, f->text, sizeof(finding.text));
	walk_found(r->w, &finding);
}

static void ignore(void *context, const struct fault *f)
{
}

/* Is a mirror to be expected there (fs/btrfs/disk-io.c, write_dev_supers())? */
static bool reaches(const struct disk *disk, uint64_t device_bytes, uint64_t place)
{
	return place + SUPER_SIZE < MIN(disk->bytes, device_bytes);
}

/* All mirrors of a device: the first that is sound says how many there must be. */
static int read_device(struct walk *w, struct disk *disk, struct mirror *mirrors, struct error *e)
{
	uint64_t bytes = 0;
	bool any = false;

	for (unsigned int i = 0; i < SUPER_MIRRORS; i++) {
		struct mirror *m = &mirrors[i];
		const struct sink quiet = {NULL, ignore, NULL};

		m->disk = disk;
		m->number = i;
		m->place = super_place(i);
		if (m->place + SUPER_SIZE > disk->bytes || disk_read(disk, m->bytes, SUPER_SIZE, m->place))
			continue;
		any |= super_is(m->bytes);
		if (super_parse(m->bytes, m->place, &m->super, &quiet)) {
			bytes = MAX(bytes, m->super.device_bytes);
			disk->devid = m->super.devid;
			memcpy(disk->uuids, m->bytes + SUPER_DEV_ITEM + DEVICE_UUID, sizeof(disk->uuids));
		}
	}
	if (!any)
		return error_set(e, EXIT_CANNOT, "%s holds no btrfs: no superblock has its magic number",
				 disk->path);
	for (unsigned int i = 0; i < SUPER_MIRRORS; i++) {
		struct reading r = {w, &mirrors[i]};
		const struct sink sink = {&r, found, NULL};
		int err;

		if (bytes ? !reaches(disk, bytes, mirrors[i].place)
			  : mirrors[i].place + SUPER_SIZE > disk->bytes)
			continue;
		err = disk_read(disk, mirrors[i].bytes, SUPER_SIZE, mirrors[i].place);
		if (err)
			fault_emit(&sink, RULE_SUPER_READ, -1, NULL, "%s", strerror(err));
		else
			mirrors[i].usable =
				super_parse(mirrors[i].bytes, mirrors[i].place, &mirrors[i].super, &sink);
	}
	return 0;
}

/* What differs lawfully: checksum, place, device; and the log, which an fsync writes to the first mirror
 * only. */
static bool same(const unsigned char *a, const unsigned char *b)
{
	static const struct {
		unsigned int from, to;
	} parts[] = {
		{BTRFS_CSUM, SUPER_BYTENR},
		{SUPER_BYTENR + 8, SUPER_LOG_ROOT},
		{SUPER_LOG_ROOT + 16, SUPER_LOG_LEVEL},
		{SUPER_DEV_ITEM + DEVICE_SIZE, SUPER_SIZE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (memcmp(a + parts[i].from, b + parts[i].from, parts[i].to - parts[i].from) != 0)
			return false;
	}
	return true;
}

static void compare(struct walk *w, const struct mirror *best, const struct mirror *m)
{
	struct reading r = {w, m};
	const struct sink sink = {&r, found, NULL};
	uint64_t generation = m->super.format.generation;

	if (memcmp(m->super.fsid, best->super.fsid, BTRFS_UUID) != 0)
		fault_emit(&sink, RULE_SUPER_AGREE, -1, NULL, "it is of another filesystem");
	else if (generation + 1 == best->super.format.generation && m->super.root != best->super.root)
		walk_unchecked(w, "a superblock of %s is one transaction older: a crash came between",
			       m->disk->path);
	else if (generation != best->super.format.generation)
		fault_emit(&sink, RULE_SUPER_AGREE, -1, NULL,
			   "generation %" PRIu64 ", the newest has %" PRIu64, generation,
			   best->super.format.generation);
	else if (!same(m->bytes, best->bytes))
		fault_emit(&sink, RULE_SUPER_AGREE, -1, NULL,
			   "it differs from the newest at the same generation");
}

static const struct mirror *newest(const struct mirror *mirrors, size_t count)
{
	const struct mirror *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct mirror *m = &mirrors[i];

		if (m->usable && (!best || m->super.format.generation > best->super.format.generation))
			best = m;
	}
	return best;
}

static int check_devices(const struct walk *w, struct error *e)
{
	const struct disks *d = &w->disks;

	for (size_t i = 0; i < d->count; i++) {
		if (d->disk[i].devid && disks_find(d, d->disk[i].devid) != &d->disk[i])
			return error_set(
				e, EXIT_USAGE, "%s and %s are the same device %" PRIu64 " of the filesystem",
				disks_find(d, d->disk[i].devid)->path, d->disk[i].path, d->disk[i].devid);
	}
	if (w->super.devices > d->count)
		return error_set(e, EXIT_CANNOT,
				 "the filesystem has %" PRIu64 " devices, %zu are given: name all of them",
				 w->super.devices, d->count);
	return 0;
}

static int judge(struct walk *w, const struct mirror *mirrors, size_t count, struct error *e)
{
	const struct mirror *best = newest(mirrors, count);
	const struct sink quiet = {NULL, ignore, NULL};

	if (!best)
		return 1;
	for (size_t i = 0; i < count; i++) {
		if (mirrors[i].usable && &mirrors[i] != best)
			compare(w, best, &mirrors[i]);
	}
	memcpy(w->super_bytes, best->bytes, SUPER_SIZE);
	super_parse(w->super_bytes, best->place, &w->super, &quiet);
	w->r->generation = w->super.format.generation;
	return check_devices(w, e);
}

static int read_all(struct walk *w, struct mirror *mirrors, unsigned char *bytes, struct error *e)
{
	size_t count = w->disks.count * SUPER_MIRRORS;

	for (size_t i = 0; i < count; i++)
		mirrors[i].bytes = bytes + i * SUPER_SIZE;
	for (size_t i = 0; i < w->disks.count; i++) {
		if (read_device(w, &w->disks.disk[i], &mirrors[i * SUPER_MIRRORS], e))
			return -1;
	}
	return judge(w, mirrors, count, e);
}

int supers_read(struct walk *w, struct error *e)
{
	size_t count = w->disks.count * SUPER_MIRRORS;
	struct mirror *mirrors = calloc(count, sizeof(*mirrors));
	unsigned char *bytes = aligned_alloc(4096, count * SUPER_SIZE);
	int ret = mirrors && bytes ? read_all(w, mirrors, bytes, e)
				   : error_errno(e, EXIT_HARNESS, ENOMEM, "superblocks");

	free(mirrors);
	free(bytes);
	return ret;
}
