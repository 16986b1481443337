/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices of one filesystem, read directly. */
#ifndef RECOW_AUDIT_DISKS_H
#define RECOW_AUDIT_DISKS_H

#include "src/base/error.h"
#include "verify/btrfs/super.h"

#define AUDIT_DISKS 64

struct disk {
	const char *path; /* of the caller */
	int fd;
	uint64_t bytes;
	uint64_t devid;                      /* 0: not known (yet) */
	unsigned char uuids[2 * BTRFS_UUID]; /* its own and that of its filesystem, by its superblock */
};

struct disks {
	struct disk disk[AUDIT_DISKS];
	size_t count;
	uint64_t bytes; /* of all */
};

/* Open all, for direct reads where the file can do that. */
int disks_open(struct disks *d, const char *const *paths, size_t count, struct error *e);
void disks_close(struct disks *d);

/* The one with this number, or NULL. */
const struct disk *disks_find(const struct disks *d, uint64_t devid);

/* Read all of it; place, length and buffer are multiples of 4096. 0 or an errno. */
int disk_read(const struct disk *disk, void *buf, size_t len, uint64_t place);

#endif
