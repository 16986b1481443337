// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/promise.h"

#include <stdlib.h>
#include <string.h>

struct promise {
	struct file_id id;
	struct damage damage;
	uint64_t due; /* request */
	struct promise *next;
	unsigned char bytes[]; /* wrong ones, then right ones */
};

void promise_damage(struct fs *fs, const struct damage *d, unsigned int later)
{
	struct promise *p = malloc(sizeof(*p) + 2 * d->length);

	if (!p)
		abort();
	p->id = d->inode->id;
	p->damage = *d;
	p->due = fs->request + later;
	p->damage.wrong = memcpy(p->bytes, d->wrong, d->length);
	p->damage.right = memcpy(p->bytes + d->length, d->right, d->length);
	p->next = fs->promises;
	fs->promises = p;
}

static void drop(struct promise **at)
{
	struct promise *p = *at;

	*at = p->next;
	free(p);
}

void promises_touched(struct fs *fs, struct file_id id, uint64_t offset, uint64_t length)
{
	for (struct promise **at = &fs->promises; *at;) {
		const struct promise *p = *at;

		if (p->id.device == id.device && p->id.number == id.number &&
		    offset < p->damage.offset + p->damage.length &&
		    (length > p->damage.offset || offset + length > p->damage.offset)) {
			drop(at);
			fs_spare(fs);
		} else {
			at = &(*at)->next;
		}
	}
}

static void keep_one(struct fs *fs, struct promise *p)
{
	p->damage.inode = inode_find(fs, p->id);
	if (!p->damage.inode || inode_open(fs, p->damage.inode)) {
		fs_spare(fs);
		return;
	}
	damage_data(fs, &p->damage);
	inode_release(fs, p->damage.inode);
}

void promises_keep(struct fs *fs)
{
	for (struct promise **at = &fs->promises; *at;) {
		if ((*at)->due <= fs->request) {
			keep_one(fs, *at);
			drop(at);
		} else {
			at = &(*at)->next;
		}
	}
}

void promises_free(struct fs *fs)
{
	while (fs->promises)
		drop(&fs->promises);
}
