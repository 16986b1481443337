// SPDX-License-Identifier: GPL-2.0-or-later
/* Listings of directories; and names that are listed and can't be looked up. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutants/fs/damage.h"
#include "mutants/fs/families.h"
#include "mutants/fs/wound.h"

static enum listed list_twice(struct fs *fs, struct inode *directory, const char *name, unsigned char *type)
{
	if (!fs_fires(fs))
		return LISTED_ONCE;
	damage_name(fs, "duplicate", "readdir", directory, name, NULL, false);
	return LISTED_TWICE;
}

const struct mutant mutant_listed_twice = {
	.about = {.name = "listed-twice",
		  .summary = "a name stands twice in a listing",
		  .source = "Linux 9b378f6ad48c (\"btrfs: fix infinite directory reads\")"},
	.list = list_twice,
};

static enum listed list_never(struct fs *fs, struct inode *directory, const char *name, unsigned char *type)
{
	if (!fs_fires(fs))
		return LISTED_ONCE;
	damage_name(fs, "missing", "readdir", directory, name, NULL, false);
	return LISTED_NEVER;
}

const struct mutant mutant_listed_never = {
	.about =
		{.name = "listed-never",
		 .summary = "a name that can be looked up is missing in a listing",
		 .source =
			 "Linux e60aa5da14d0 (\"btrfs: refresh dir last index during a rewinddir(3) call\")"},
	.list = list_never,
};

static enum listed list_typed(struct fs *fs, struct inode *directory, const char *name, unsigned char *type)
{
	const unsigned char wrong = *type == DT_REG ? DT_DIR : DT_REG;

	if (!fs_fires(fs))
		return LISTED_ONCE;
	damage_name(
		fs, "attribute", "readdir", directory, name,
		json_pack("{s:s, s:i, s:i}", "name", "type", "expected", (int)*type, "actual", (int)wrong),
		false);
	*type = wrong;
	return LISTED_ONCE;
}

const struct mutant mutant_listed_type = {
	.about = {.name = "listed-type", .summary = "a name is listed with a wrong type"},
	.list = list_typed,
};

/* ---- listed, but not found */

/* The name that is not found, until something changes in its directory. */
struct unfound {
	bool now;
	struct file_id directory;
	char name[256];
};

static struct unfound *unfound_of(struct fs *fs)
{
	return fs->state ? fs->state : (fs->state = calloc(1, sizeof(struct unfound)));
}

static int lookup(struct fs *fs, struct inode *parent, const char *name)
{
	struct unfound *u = unfound_of(fs);
	const int dir = inode_fd(fs, parent);
	struct stat st;

	if (!u || dir < 0)
		return 0;
	if (u->now)
		return u->directory.number == parent->id.number && !strcmp(u->name, name) ? -ENOENT : 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || S_ISDIR(st.st_mode) || !fs_fires(fs))
		return 0;
	u->now = true;
	u->directory = parent->id;
	snprintf(u->name, sizeof(u->name), "%s", name);
	damage_name(fs, "missing", "lookup", parent, name, json_pack("{s:I}", "inode", (json_int_t)st.st_ino),
		    true);
	return -ENOENT;
}

/* Something else changes in its directory. */
static void touched(struct fs *fs, const struct inode *parent)
{
	struct unfound *u = unfound_of(fs);
	char wound[300];

	if (!u || !u->now || u->directory.number != parent->id.number)
		return;
	u->now = false;
	snprintf(wound, sizeof(wound), "name %s", u->name);
	wounds_set(fs, u->directory, wound);
}

static void touching_create(struct fs *fs, struct inode *parent, const char *name)
{
	touched(fs, parent);
}

static int touching_unlink(struct fs *fs, struct inode *parent, const char *name)
{
	touched(fs, parent);
	return plain_unlink(fs, parent, name);
}

static int touching_rename(struct fs *fs, const struct move *m)
{
	touched(fs, m->parent);
	touched(fs, m->parent2);
	return plain_rename(fs, m);
}

const struct mutant mutant_name_unfound = {
	.about = {.name = "name-unfound",
		  .summary = "a name is listed but not found, until something else changes in its directory"},
	.lookup = lookup,
	.created = touching_create,
	.unlink = touching_unlink,
	.rename = touching_rename,
};
