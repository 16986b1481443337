// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/fs/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 512U

struct memory {
	unsigned int next;
	struct remembered page[PAGES];
};

int remember(struct fs *fs, struct file_id id, uint64_t offset, const unsigned char bytes[PAGE])
{
	struct remembered *r;

	if (!fs->memory)
		fs->memory = calloc(1, sizeof(*fs->memory));
	if (!fs->memory)
		return -ENOMEM;
	r = &fs->memory->page[fs->memory->next++ % PAGES];
	r->id = id;
	r->offset = offset;
	r->request = fs->request;
	memcpy(r->bytes, bytes, PAGE);
	return 0;
}

enum wanted { HERE, FOREIGN, ELSEWHERE };

static bool suits(const struct remembered *r, enum wanted wanted, struct file_id id, uint64_t offset)
{
	const bool own = r->id.device == id.device && r->id.number == id.number;

	if (!r->request || own == (wanted == FOREIGN))
		return false;
	return wanted == FOREIGN || (r->offset == offset) == (wanted == HERE);
}

/* From the youngest to the oldest. */
static const struct remembered *find(const struct fs *fs, enum wanted wanted, struct file_id id,
				     uint64_t offset)
{
	for (unsigned int i = 1; fs->memory && i <= PAGES; i++) {
		const struct remembered *r = &fs->memory->page[(fs->memory->next - i) % PAGES];

		if (suits(r, wanted, id, offset))
			return r;
	}
	return NULL;
}

const struct remembered *recall(const struct fs *fs, struct file_id id, uint64_t offset)
{
	return find(fs, HERE, id, offset);
}

const struct remembered *recall_foreign(const struct fs *fs, struct file_id id)
{
	return find(fs, FOREIGN, id, 0);
}

const struct remembered *recall_elsewhere(const struct fs *fs, struct file_id id, uint64_t offset)
{
	return find(fs, ELSEWHERE, id, offset);
}

void memory_free(struct fs *fs)
{
	free(fs->memory);
}
