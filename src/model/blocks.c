/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "src/model/private.h"

#define ENTRY             sizeof(struct block_entry)
#define HANDLES_PER_ENTRY 4U

_Static_assert(ENTRY == 16, "sixteen bytes a block");

/* Sizes of pieces, in entries: those at which most of a page's 63 entries are used. The last is
 * no piece. */
const uint8_t block_class_size[BLOCK_CLASSES + 1] = {1,  2,  3,  4,  5,  6,         7, 9,
						     10, 12, 15, 21, 31, PIECE_MAX, 0};

/* Pairs of classes that hold a rest in the least memory (map_rest); `N` is none. test_model checks that no
 * other choice is smaller. */
#define N BLOCK_CLASSES
static const uint8_t rest_classes[PIECE_MAX][2] = {
	{N, N},   {0, N},   {1, N},   {2, N},   {3, N},   {4, N},   {5, N},   {6, N},   {6, 0},
	{7, N},   {8, N},   {7, 1},   {9, N},   {7, 3},   {6, 6},   {10, N},  {7, 6},   {8, 6},
	{7, 7},   {8, 7},   {11, N},  {11, N},  {11, 0},  {11, 1},  {11, 2},  {11, 3},  {11, 4},
	{11, 5},  {11, 6},  {11, 7},  {11, 7},  {12, N},  {12, 0},  {12, 1},  {12, 2},  {12, 3},
	{11, 10}, {12, 5},  {12, 6},  {12, 7},  {12, 7},  {11, 11}, {11, 11}, {12, 9},  {12, 10},
	{12, 10}, {12, 10}, {12, 11}, {12, 11}, {12, 11}, {12, 11}, {12, 11}, {12, 11}, {13, N},
	{13, N},  {13, N},  {13, N},  {13, N},  {13, N},  {13, N},  {13, N},  {13, N},  {13, N},
};
#undef N

/* How a map of n entries is cut. */
struct layout {
	uint32_t full; /* pieces of 63 */
	uint8_t rest[2];
	uint32_t handles;
};

void map_rest(uint32_t rest, uint8_t pieces[2])
{
	memcpy(pieces, rest_classes[rest], 2);
}

static struct layout layout_of(uint32_t n)
{
	struct layout l = {.full = n / PIECE_MAX};

	map_rest(n % PIECE_MAX, l.rest);
	l.handles = l.full + (l.rest[0] != BLOCK_CLASSES) + (l.rest[1] != BLOCK_CLASSES);
	return l;
}

static uint32_t index_entries(uint32_t handles)
{
	return (uint32_t)div_up_u64(handles, HANDLES_PER_ENTRY);
}

/* Class of piece p. */
static unsigned int piece_class(const struct layout *l, uint32_t p)
{
	return p < l->full ? BLOCK_CLASSES - 1U : l->rest[p > l->full];
}

/* Where an entry lies: piece, place in it, and how many follow there from it on. */
struct place {
	uint32_t piece, at, left;
};

static struct place place_of(const struct layout *l, uint32_t entry)
{
	uint32_t piece = MIN(entry / PIECE_MAX, l->full);
	uint32_t at = entry - piece * PIECE_MAX;
	uint32_t size = block_class_size[piece_class(l, piece)];

	if (at >= size) {
		at -= size;
		size = block_class_size[piece_class(l, ++piece)];
	}
	return (struct place){.piece = piece, .at = at, .left = size - at};
}

/* ---- handles: (class + 1) << 28 | record ------------------------------------------------- */

static uint32_t handle_make(unsigned int class, uint32_t record)
{
	return (uint32_t)(class + 1) << 28 | record;
}

static unsigned int handle_class(uint32_t handle)
{
	return MIN((handle >> 28) - 1, BLOCK_CLASSES - 1U);
}

static uint32_t handle_record(uint32_t handle)
{
	return handle & 0xfffffff;
}

static uint32_t piece_new(struct model *m, unsigned int class)
{
	uint32_t record = array_new(&m->owner, &m->head.blocks[class]);

	return record >> 28 ? 0 : handle_make(class, record);
}

static void piece_free(struct model *m, uint32_t handle)
{
	array_free(&m->owner, &m->head.blocks[handle_class(handle)], handle_record(handle));
}

/* The entries of a piece, NULL on corruption. */
static const unsigned char *piece_at(const struct model_view *v, uint32_t handle)
{
	return view_record(v, &v->blocks[handle_class(handle)], handle_record(handle));
}

static void piece_put(struct model *m, uint32_t handle, size_t at, const void *bytes, size_t len)
{
	array_put(&m->owner, &m->head.blocks[handle_class(handle)], handle_record(handle), at, bytes, len);
}

/* ---- the handle of a piece --------------------------------------------------------------- */

/* Handle of piece p of a map of n entries; 0 if it is missing, or with *bad on corruption. */
static uint32_t piece_find(const struct model_view *v, uint32_t root, uint32_t n, uint32_t p, bool *bad)
{
	struct layout l = layout_of(n);
	const unsigned char *entries;
	uint32_t index, handle, n1;
	struct layout l1;
	struct place at;

	if (l.handles <= 1)
		return root;
	n1 = index_entries(l.handles);
	l1 = layout_of(n1);
	at = place_of(&l1, p / HANDLES_PER_ENTRY);
	index = piece_find(v, root, n1, at.piece, bad);
	if (!index)
		return 0;
	entries = piece_at(v, index);
	if (!entries) {
		*bad = true;
		return 0;
	}
	memcpy(&handle, entries + at.at * ENTRY + p % HANDLES_PER_ENTRY * sizeof(handle), sizeof(handle));
	return handle;
}

static uint32_t piece_ensure(struct model *m, uint32_t *root, uint32_t n, uint32_t p);

static void piece_set(struct model *m, uint32_t *root, uint32_t n, uint32_t p, uint32_t handle)
{
	struct layout l = layout_of(n);
	uint32_t index, n1;
	struct layout l1;
	struct place at;

	if (l.handles <= 1) {
		*root = handle;
		return;
	}
	n1 = index_entries(l.handles);
	l1 = layout_of(n1);
	at = place_of(&l1, p / HANDLES_PER_ENTRY);
	index = piece_ensure(m, root, n1, at.piece);
	if (index)
		piece_put(m, index, at.at * ENTRY + p % HANDLES_PER_ENTRY * sizeof(handle), &handle,
			  sizeof(handle));
}

/* As piece_find, but make it if it is missing. 0 when the pool is exhausted. */
static uint32_t piece_ensure(struct model *m, uint32_t *root, uint32_t n, uint32_t p)
{
	bool bad = false;
	uint32_t handle = piece_find(&m->head, *root, n, p, &bad);
	struct layout l = layout_of(n);

	if (handle)
		return handle;
	handle = piece_new(m, piece_class(&l, p));
	if (handle)
		piece_set(m, root, n, p, handle);
	return handle;
}

/* ---- entries ----------------------------------------------------------------------------- */

uint32_t map_read(const struct model_view *v, uint32_t root, uint32_t n, uint32_t first, uint32_t count,
		  struct block_entry *out)
{
	struct layout l = layout_of(n);
	uint32_t done = 0;

	count = first < n ? MIN(count, n - first) : 0;
	while (done < count) {
		struct place at = place_of(&l, first + done);
		uint32_t part = MIN(at.left, count - done);
		bool bad = false;
		uint32_t handle = piece_find(v, root, n, at.piece, &bad);
		const unsigned char *entries = handle ? piece_at(v, handle) : NULL;

		if (bad || (handle && !entries))
			break;
		if (entries)
			memcpy(out + done, entries + at.at * ENTRY, part * ENTRY);
		else
			memset(out + done, 0, part * ENTRY);
		done += part;
	}
	return done;
}

static bool all_holes(const struct block_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (entries[i].hash || entries[i].writer)
			return false;
	}
	return true;
}

void map_write(struct model *m, uint32_t *root, uint32_t n, uint32_t first, uint32_t count,
	       const struct block_entry *entries)
{
	struct layout l = layout_of(n);

	while (count) {
		struct place at = place_of(&l, first);
		uint32_t part = MIN(at.left, count);
		bool bad = false;
		uint32_t handle = piece_find(&m->head, *root, n, at.piece, &bad);

		if (!handle && !all_holes(entries, part))
			handle = piece_ensure(m, root, n, at.piece);
		if (handle)
			piece_put(m, handle, at.at * ENTRY, entries, part * ENTRY);
		first += part;
		entries += part;
		count -= part;
	}
}

/* From piece p on, which begins a piece of the index: the next piece that may exist. A missing piece of the
 * index stands for 252 missing ones here. */
static uint32_t index_skip(const struct model_view *v, uint32_t root, const struct layout *l, uint32_t p)
{
	uint32_t entry = map_skip(v, root, index_entries(l->handles), p / HANDLES_PER_ENTRY);

	return MAX(p, MIN(entry * HANDLES_PER_ENTRY, l->full));
}

uint32_t map_skip(const struct model_view *v, uint32_t root, uint32_t n, uint32_t first)
{
	struct layout l = layout_of(n);

	while (first < n && root) {
		struct place at = place_of(&l, first);
		bool bad = false;

		if (l.handles > 1 && at.piece < l.full && at.piece % (PIECE_MAX * HANDLES_PER_ENTRY) == 0) {
			uint32_t piece = index_skip(v, root, &l, at.piece);

			if (piece > at.piece) {
				first = piece * PIECE_MAX;
				continue;
			}
		}
		if (piece_find(v, root, n, at.piece, &bad))
			return first;
		first += at.left;
	}
	return n;
}

/* ---- size -------------------------------------------------------------------------------- */

/* Free all pieces from `from` on; their handles are left to the caller. */
static void pieces_free(struct model *m, uint32_t root, uint32_t n, uint32_t from)
{
	struct layout l = layout_of(n);
	uint32_t entry = map_skip(&m->head, root, n, from * PIECE_MAX);

	while (entry < n) {
		struct place at = place_of(&l, entry);
		bool bad = false;

		piece_free(m, piece_find(&m->head, root, n, at.piece, &bad));
		entry = map_skip(&m->head, root, n, entry + at.left);
	}
}

/* Forget the handles [from, to) of an index map. */
static void handles_clear(struct model *m, uint32_t *root, uint32_t n, uint32_t from, uint32_t to)
{
	for (; from < to; from++) {
		bool bad = false;

		if (piece_find(&m->head, *root, n, from, &bad))
			piece_set(m, root, n, from, 0);
	}
}

/* Give the row of handles its new length; the first `keep` survive. */
static void handles_resize(struct model *m, uint32_t *root, uint32_t n, uint32_t to, uint32_t keep)
{
	uint32_t old = layout_of(n).handles, new = layout_of(to).handles;
	uint32_t old_index = old > 1 ? index_entries(old) : 0, new_index = new > 1 ? index_entries(new) : 0;
	uint32_t common = MIN(old_index, new_index) * HANDLES_PER_ENTRY;
	bool bad = false;
	uint32_t first = keep ? piece_find(&m->head, *root, n, 0, &bad) : 0;

	if (old_index)
		handles_clear(m, root, n, keep, MIN(old, common));
	else
		*root = 0;
	map_resize(m, root, old_index, new_index);
	if (!new_index)
		*root = first;
	else if (!old_index && first)
		piece_set(m, root, to, 0, first);
}

void map_resize(struct model *m, uint32_t *root, uint32_t n, uint32_t to)
{
	struct block_entry rest[PIECE_MAX];
	uint32_t keep, survivors;

	if (n == to)
		return;
	if (!*root) /* nothing but holes */
		return;
	keep = MIN(n, to) / PIECE_MAX;
	survivors = MIN(n, to) - keep * PIECE_MAX;
	survivors = map_read(&m->head, *root, n, keep * PIECE_MAX, survivors, rest);
	pieces_free(m, *root, n, keep);
	handles_resize(m, root, n, to, keep);
	map_write(m, root, to, keep * PIECE_MAX, survivors, rest);
}
