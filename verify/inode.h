/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an inode says of itself: type, size, mode, owner, time, links, extended attributes, a link's target.
 */
#ifndef RECOW_VERIFY_INODE_H
#define RECOW_VERIFY_INODE_H

#include <sys/stat.h>

#include "verify/check.h"

/* DT_DIR and its like for a model's type. */
unsigned char inode_dtype(uint8_t type);

/* "file", "directory", ... for an S_IFMT or a model's type. */
const char *inode_type_name(mode_t mode);
mode_t inode_type(uint8_t type);

/* Room for what the kernel can answer: lists and values of extended attributes are at most 64 KiB
 * (XATTR_LIST_MAX, XATTR_SIZE_MAX). One per thread. */
struct inode_room {
	char list[64 * KiB];
	unsigned char expected[64 * KiB], found[64 * KiB];
};

/* Compare all attributes of the object behind `name` in directory `dir`. Wrong ones are one finding each. */
void inode_verify(struct check *c, struct inode_room *room, int dir, const char *name,
		  const struct subject *s, const struct object *o, const struct stat *st);

/* The same of an open file. */
void inode_verify_open(struct check *c, struct inode_room *room, int fd, const struct subject *s,
		       const struct object *o, const struct stat *st);

#endif
