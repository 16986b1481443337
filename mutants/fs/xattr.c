// SPDX-License-Identifier: GPL-2.0-or-later
/* Extended attributes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "mutants/fs/damage.h"
#include "mutants/fs/families.h"

#define VALUE_MAX 4096U

/* The present value; -1: there is none. */
static ssize_t value_of(struct fs *fs, struct inode *inode, const char *name, unsigned char value[VALUE_MAX])
{
	char proc[32];

	return inode_proc(fs, inode, proc) ? -1 : getxattr(proc, name, value, VALUE_MAX);
}

static void tell(struct fs *fs, struct inode *inode, const char *kind, const char *op, const char *name)
{
	char what[300];

	snprintf(what, sizeof(what), "xattr %s", name);
	damage_attribute(fs, kind, op, inode, what, NULL, NULL, true);
}

static bool is_users(const char *name)
{
	return !strncmp(name, "user.", 5);
}

static int lost_setxattr(struct fs *fs, struct inode *inode, const char *name, const void *value, size_t size,
			 int flags)
{
	unsigned char old[VALUE_MAX];

	if (!is_users(name) || flags & XATTR_REPLACE || value_of(fs, inode, name, old) >= 0 || !fs_fires(fs))
		return plain_setxattr(fs, inode, name, value, size, flags);
	tell(fs, inode, "missing", "setxattr", name);
	return 0;
}

const struct mutant mutant_xattr_lost = {
	.about = {.name = "xattr-lost",
		  .summary = "a new extended attribute is answered with success and not kept",
		  .source = "Linux 5f5bc6b1e2d5 (\"Btrfs: make xattr replace operations atomic\")"},
	.setxattr = lost_setxattr,
};

static int stale_setxattr(struct fs *fs, struct inode *inode, const char *name, const void *value,
			  size_t size, int flags)
{
	unsigned char old[VALUE_MAX];
	const ssize_t had = value_of(fs, inode, name, old);

	if (!is_users(name) || flags & XATTR_CREATE || had < 0 ||
	    ((size_t)had == size && !memcmp(old, value, size)) || !fs_fires(fs))
		return plain_setxattr(fs, inode, name, value, size, flags);
	tell(fs, inode, "stale", "setxattr", name);
	return 0;
}

const struct mutant mutant_xattr_stale = {
	.about = {.name = "xattr-stale",
		  .summary = "an extended attribute that is set anew keeps its old value"},
	.setxattr = stale_setxattr,
};

/* The last value that was set. */
struct last_value {
	struct file_id id;
	size_t size;
	unsigned char value[VALUE_MAX];
};

static void remember_value(struct last_value *last, const struct inode *inode, const void *value, size_t size)
{
	last->id = inode->id;
	last->size = size;
	memcpy(last->value, value, size);
}

static int foreign_setxattr(struct fs *fs, struct inode *inode, const char *name, const void *value,
			    size_t size, int flags)
{
	struct last_value *last = fs->state ? fs->state : (fs->state = calloc(1, sizeof(*last)));
	int rc;

	if (!last || !is_users(name) || size > VALUE_MAX)
		return plain_setxattr(fs, inode, name, value, size, flags);
	if (!last->size || last->id.number == inode->id.number ||
	    (last->size == size && !memcmp(last->value, value, size)) || !fs_fires(fs)) {
		remember_value(last, inode, value, size);
		return plain_setxattr(fs, inode, name, value, size, flags);
	}
	rc = plain_setxattr(fs, inode, name, last->value, last->size, flags);
	if (rc)
		fs_spare(fs);
	else
		tell(fs, inode, "foreign", "setxattr", name);
	return rc;
}

const struct mutant mutant_xattr_foreign = {
	.about = {.name = "xattr-foreign",
		  .summary = "an extended attribute gets the value of another file's"},
	.setxattr = foreign_setxattr,
};

static int kept_removexattr(struct fs *fs, struct inode *inode, const char *name)
{
	unsigned char old[VALUE_MAX];

	if (!is_users(name) || value_of(fs, inode, name, old) < 0 || !fs_fires(fs))
		return plain_removexattr(fs, inode, name);
	tell(fs, inode, "extra", "removexattr", name);
	return 0;
}

const struct mutant mutant_xattr_kept = {
	.about = {.name = "xattr-kept",
		  .summary = "an extended attribute that is removed is still there",
		  .source = "Linux 4f764e515361 (\"Btrfs: remove deleted xattrs on fsync log replay\")"},
	.removexattr = kept_removexattr,
};
