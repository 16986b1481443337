/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model as anyone would write it first: files are byte arrays, names are strings. What src/model must agree
 * with. Shares nothing with it but the generator of content and names.
 */
#ifndef RECOW_REFERENCE_H
#define RECOW_REFERENCE_H

#include "src/model/model.h"

#define REF_OBJECTS 256U /* room for; the test keeps to fewer */
#define REF_NAMES   512U
#define REF_XATTRS  4U
#define REF_BYTES   (320 * KiB) /* largest file */

struct ref_object {
	enum object_type type;
	unsigned char *data;
	uint64_t size;
	uint16_t mode;
	uint32_t uid, gid;
	int64_t mtime;
	uint64_t born, changed, synced;
	uint64_t xattr_op[REF_XATTRS]; /* 0: not set */
	uint32_t xattr_len[REF_XATTRS];
};

struct ref_name {
	uint32_t object; /* 0: free */
	uint32_t parent;
	char bytes[256];
};

struct reference {
	uint32_t worker, anchors;
	uint64_t run;
	struct ref_object object[REF_OBJECTS];
	struct ref_name name[REF_NAMES];
};

void ref_init(struct reference *r, uint32_t worker, uint64_t run, uint32_t anchors);
/* A deep copy, to be freed with ref_free(). */
struct reference *ref_copy(const struct reference *r);
void ref_free(struct reference *r);

void ref_write(struct reference *r, uint64_t op, uint32_t object, uint64_t offset, const void *data,
	       size_t len);
void ref_truncate(struct reference *r, uint64_t op, uint32_t object, uint64_t size);
void ref_zero(struct reference *r, uint64_t op, uint32_t object, uint64_t offset, uint64_t len);
void ref_name_set(struct reference *r, uint32_t number, uint32_t object, uint32_t parent, struct nameref ref);
/* The name goes; its object too when it was the last. */
void ref_unlink(struct reference *r, uint64_t op, uint32_t number);
uint32_t ref_links(const struct reference *r, uint32_t object);
uint32_t ref_children(const struct reference *r, uint32_t dir);
/* Is `dir` the directory `below` or above it? */
bool ref_is_above(const struct reference *r, uint32_t dir, uint32_t below);

/* Compare all there is to compare; asserts. */
void ref_compare(const struct reference *r, const struct model_view *v);

#endif
