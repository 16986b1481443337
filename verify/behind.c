/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/behind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/program.h"
#include "src/base/units.h"

#define LIMIT (300 * NSEC_PER_SEC)

static const char complaint[] = ", end of extent exceeds allowed value\n";
static const char counted[] = ", i_blocks is ";
static const char unused[] = "Block bitmap differences: ";

/* ---- what e2fsck said */

static const char *next_line(const char *line)
{
	line = strchr(line, '\n');
	return line && line[1] ? line + 1 : NULL;
}

/* Of a line about an inode: its number, and what is said of it; NULL: it is another line. */
static const char *said_of_inode(const char *line, uint32_t *inode)
{
	int used = 0;

	return sscanf(line, "Inode %" SCNu32 "%n", inode, &used) == 1 && used ? line + used : NULL;
}

static bool begins(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

static bool holds(const char *line, const char *words)
{
	return memmem(line, strcspn(line, "\n"), words, strlen(words));
}

/* What it says of every filesystem, and between its complaints. */
static bool is_frame(const char *line)
{
	static const char *const words[] = {"e2fsck ",     "Pass ",     "\t(logical block ",
					    "Clear? no\n", "Fix? no\n", "\n"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (begins(line, words[i]))
			return true;
	}
	/* The last two lines name the device. */
	return holds(line, ": ********** WARNING: Filesystem still has errors") ||
	       holds(line, "% non-contiguous), ");
}

bool behind_is_all(const char *output)
{
	unsigned int complaints = 0;
	uint32_t inode;

	for (const char *line = output; line; line = next_line(line)) {
		const char *what = said_of_inode(line, &inode);

		if (what && begins(what, complaint))
			complaints++;
		else if (!(what && begins(what, counted)) && !begins(line, unused) && !is_frame(line))
			return false;
	}
	return complaints;
}

/* ---- trees, as debugfs shows them */

struct blocks {
	uint64_t first, last;
};

/* What is asked of the inodes, and the blocks of all of them so far. */
struct trees {
	const struct verification *v;
	struct blocks *blocks;
	size_t count, room;
	uint64_t block_size;
};

/* One inode. */
struct tree {
	uint64_t size, sectors; /* as it says itself */
	uint64_t blocks, end;   /* counted; behind the last leaf so far */
	bool attributes;        /* it has a block of them */
	bool right;
	uint64_t child; /* where the first entry of the next line must begin, ... */
	bool wanted;    /* ... if there must be one */
};

/* Ask debugfs; NULL: there is no answer, and *rc is 0, or -1 with the error. */
static FILE *ask(const struct trees *t, const char *request, int *rc, struct error *e)
{
	const char *argv[] = {"debugfs", "-R", request, t->v->target->device, NULL};
	struct program p = {.argv = argv, .log = t->v->log, .stop = t->v->stop, .limit = LIMIT};
	struct program_end end;
	FILE *answer;

	*rc = program_run(&p, &end, e);
	if (*rc || !end.exited || end.status)
		return NULL;
	answer = fopen(t->v->log, "re");
	if (answer && fseeko(answer, end.log, SEEK_SET) == 0)
		return answer;
	*rc = error_errno(e, EXIT_HARNESS, errno, "read what debugfs said");
	if (answer)
		fclose(answer);
	return NULL;
}

static bool add_blocks(struct trees *t, uint64_t first, uint64_t count)
{
	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 1024;
		void *more = realloc(t->blocks, room * sizeof(*t->blocks));

		if (!more)
			return false;
		t->blocks = more;
		t->room = room;
	}
	t->blocks[t->count++] = (struct blocks){first, first + count - 1};
	return true;
}

/* An entry that leads to a node: what is in there begins where it says. Its end is made up by debugfs. */
static void take_node(struct tree *tree, uint64_t logical)
{
	tree->right &= logical >= tree->end;
	tree->wanted = true;
	tree->child = logical;
	tree->blocks++;
}

static void take_leaf(const struct trees *t, struct tree *tree, uint64_t first, uint64_t last, bool unwritten)
{
	tree->right &= first >= tree->end && last >= first;
	tree->right &= unwritten || last < div_up_u64(tree->size, t->block_size);
	tree->end = last + 1;
	tree->blocks += last - first + 1;
	tree->wanted = false;
}

/* "LEVEL/DEPTH ENTRY/ENTRIES LOGICAL - LOGICAL PHYSICAL [- PHYSICAL] LENGTH [Uninit]": the second physical
 * block is there in leaves only. */
static void take_entry(struct trees *t, struct tree *tree, const char *line)
{
	uint64_t first, last, physical;
	unsigned int level, depth;
	int used = 0;

	if (sscanf(line, " %u/%u %*u/%*u %" SCNu64 " - %" SCNu64 " %" SCNu64 "%n", &level, &depth, &first,
		   &last, &physical, &used) != 5) {
		tree->right = false;
		return;
	}
	tree->right &= !tree->wanted || tree->child == first;
	if (level < depth)
		take_node(tree, first);
	else
		take_leaf(t, tree, first, last, strstr(line + used, "Uninit"));
	tree->right = tree->right && add_blocks(t, physical, level < depth ? 1 : last - first + 1);
}

static void take_entries(struct trees *t, struct tree *tree, FILE *answer)
{
	char line[256];

	while (fgets(line, sizeof(line), answer)) {
		if (!begins(line, "debugfs ") && !begins(line, "Level "))
			take_entry(t, tree, line);
	}
	tree->right &= !tree->wanted;
}

static void take_inode(struct tree *tree, FILE *answer)
{
	char line[1024];
	const char *at;
	uint64_t acl;

	while (fgets(line, sizeof(line), answer)) {
		if (begins(line, "User: ") && (at = strstr(line, "Size: ")))
			tree->right = sscanf(at, "Size: %" SCNu64, &tree->size) == 1;
		if ((at = strstr(line, "Blockcount: ")))
			tree->right &= sscanf(at, "Blockcount: %" SCNu64, &tree->sectors) == 1;
		if (sscanf(line, "File ACL: %" SCNu64, &acl) == 1)
			tree->attributes = acl;
	}
}

static int tree_is_right(struct trees *t, uint32_t inode, struct error *e)
{
	struct tree tree = {0};
	char request[64];
	FILE *answer;
	int rc;

	snprintf(request, sizeof(request), "stat <%" PRIu32 ">", inode);
	answer = ask(t, request, &rc, e);
	if (!answer)
		return rc;
	take_inode(&tree, answer);
	fclose(answer);
	snprintf(request, sizeof(request), "dump_extents <%" PRIu32 ">", inode);
	answer = ask(t, request, &rc, e);
	if (!answer)
		return rc;
	take_entries(t, &tree, answer);
	fclose(answer);
	return tree.right && (tree.blocks + tree.attributes) * (t->block_size / 512) == tree.sectors;
}

/* ---- the blocks that it takes for unused */

static int by_place(const void *a, const void *b)
{
	const struct blocks *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int by_block(const void *a, const void *b)
{
	const uint64_t *block = a;
	const struct blocks *x = b;

	return *block < x->first ? -1 : *block > x->last;
}

static bool has_block(const struct trees *t, uint64_t block)
{
	return t->count && bsearch(&block, t->blocks, t->count, sizeof(*t->blocks), by_block);
}

/* "-(8024--8033) -65598": in use as the bitmap has it, and not as e2fsck counted. */
static bool all_have_their_tree(const struct trees *t, const char *list)
{
	for (list += strspn(list, " "); *list && *list != '\n'; list += strspn(list, " ")) {
		uint64_t first, last;
		int used = 0;

		if (sscanf(list, "-(%" SCNu64 "--%" SCNu64 ")%n", &first, &last, &used) != 2 || !used) {
			used = 0;
			if (sscanf(list, "-%" SCNu64 "%n", &first, &used) != 1 || !used)
				return false;
			last = first;
		}
		for (uint64_t block = first; block <= last; block++) {
			if (!has_block(t, block))
				return false;
		}
		list += used;
	}
	return true;
}

/* ---- both */

static uint64_t block_size_of(const struct trees *t, int *rc, struct error *e)
{
	FILE *answer = ask(t, "show_super_stats -h", rc, e);
	uint64_t size = 0;
	char line[1024];

	while (answer && !size && fgets(line, sizeof(line), answer))
		sscanf(line, "Block size: %" SCNu64, &size);
	if (answer)
		fclose(answer);
	return size;
}

static int trees_are_right(struct trees *t, const char *output, struct error *e)
{
	uint32_t inode, last = 0;
	int rc = 1;

	t->block_size = block_size_of(t, &rc, e);
	if (!t->block_size)
		return rc;
	rc = 1;
	for (const char *line = output; line && rc == 1; line = next_line(line)) {
		if (!said_of_inode(line, &inode) || inode == last)
			continue;
		rc = tree_is_right(t, inode, e);
		last = inode;
	}
	if (rc != 1)
		return rc;
	if (t->count)
		qsort(t->blocks, t->count, sizeof(*t->blocks), by_place);
	for (const char *line = output; line && rc; line = next_line(line)) {
		if (begins(line, unused))
			rc = all_have_their_tree(t, line + strlen(unused));
	}
	return rc;
}

int behind_is_right(const struct verification *v, const char *output, struct error *e)
{
	struct trees t = {.v = v};
	int rc = trees_are_right(&t, output, e);

	free(t.blocks);
	return rc;
}
