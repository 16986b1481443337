/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/blocks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injectors/departure.h"
#include "src/base/clock.h"

#define BLOCKS_MAX 4096 /* memory blocks looked at: 512 GiB of 128 MiB each */

/* A block that refused is tried again after this time, which doubles with each refusal in a row. */
#define FADE_FIRST     (5 * NSEC_PER_SEC)
#define FADE_DOUBLINGS 7 /* at most 640 s */

/* To choose among blocks one stretch of frames in so many is looked at. */
#define SAMPLE 8

/* ---- which blocks ---- */

static bool same_zone(const struct memory_block *b, const struct memory_block *neighbour)
{
	int distance = (int)neighbour->number - (int)b->number;

	return neighbour->online && abs(distance) == 1 && !strcmp(b->zone, neighbour->zone);
}

/*
 * Can the block get back the zone that it has? Online_kernel picks the lowest kernel zone whose span covers
 * the block, and ZONE_NORMAL if none does (default_kernel_zone_for_pfn() in mm/memory_hotplug.c). A zone
 * shrinks when the block at its edge leaves, hence a block at the edge of DMA32 would come back as Normal.
 */
static bool returns_to_its_zone(const struct memory_block *all, size_t count, size_t i)
{
	if (!strcmp(all[i].zone, "Normal") || !strcmp(all[i].zone, "Movable"))
		return true;
	return i > 0 && i + 1 < count && same_zone(&all[i], &all[i - 1]) && same_zone(&all[i], &all[i + 1]);
}

/*
 * Lower is tried earlier. The kernel fills the highest zone first with what it cannot move, so the zones
 * below Normal hold the blocks that agree.
 */
static int preference(const struct memory_block *b)
{
	if (!strcmp(b->zone, "Movable"))
		return 0;
	return strcmp(b->zone, "Normal") ? 1 : 2;
}

static bool usable(const struct memory_block *all, size_t count, size_t i)
{
	return all[i].online && all[i].zone[0] && strcmp(all[i].zone, "none") != 0 &&
	       returns_to_its_zone(all, count, i);
}

static void swap_blocks(struct block *a, struct block *b)
{
	struct block kept = *a;

	*a = *b;
	*b = kept;
}

/* In order of preference; among equals the seed decides. */
static void list_blocks(struct blocks *b, struct stream *random, const struct memory_block *all, size_t count)
{
	for (int rank = 0; rank <= 2; rank++) {
		size_t first = b->count;

		for (size_t i = 0; i < count; i++) {
			if (preference(&all[i]) == rank && usable(all, count, i))
				b->block[b->count++] =
					(struct block){.number = all[i].number, .movable = rank == 0};
		}
		for (size_t i = b->count; i > first + 1; i--)
			swap_blocks(&b->block[i - 1], &b->block[first + stream_below(random, i - first)]);
	}
}

struct blocks *blocks_open(struct stream *random, uint64_t limit, uint64_t floor, struct error *e)
{
	struct blocks *b = calloc(1, sizeof(*b) + BLOCKS_MAX * sizeof(b->block[0]));
	struct memory_block *all = calloc(BLOCKS_MAX, sizeof(*all));

	if (!b || !all) {
		error_errno(e, EXIT_HARNESS, ENOMEM, "memory blocks");
		free(all);
		free(b);
		return NULL;
	}
	b->bytes = machine_memory_block_size();
	b->limit = limit;
	b->floor = floor;
	census_open(&b->census);
	list_blocks(b, random, all, machine_memory_blocks(all, BLOCKS_MAX));
	free(all);
	if (b->count)
		return b;
	error_set(e, EXIT_CANNOT, "no memory block could go offline and get its zone back");
	blocks_close(b);
	return NULL;
}

void blocks_close(struct blocks *b)
{
	if (!b)
		return;
	census_close(&b->census);
	free(b);
}

/* ---- choosing ---- */

struct block *blocks_spare(struct blocks *b)
{
	uint64_t now = clock_mono();

	for (size_t i = 0; i < b->count; i++) {
		if (!b->block[i].held && !b->block[i].away && b->block[i].retry <= now)
			return &b->block[i];
	}
	return NULL;
}

static uint64_t frames_of(const struct blocks *b)
{
	return b->bytes / (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t estimate_dirty(const struct injection *in, const struct blocks *b, const struct block *k)
{
	struct census_count count;

	census_take(&b->census, in->cgroup, k->number * frames_of(b), frames_of(b), SAMPLE, &count);
	return count.dirty;
}

bool blocks_look(struct injection *in, struct blocks *b)
{
	bool any = false;

	for (size_t i = 0; i < b->count; i++) {
		struct block *k = &b->block[i];

		k->dirty = k->held && !k->away ? estimate_dirty(in, b, k) : 0;
		any |= k->dirty > 0;
	}
	return any;
}

/* Can it be taken away now? */
static bool ready(const struct block *k, uint64_t now)
{
	return k->held && !k->away && k->retry <= now;
}

struct block *blocks_dirtiest(struct blocks *b, bool turns)
{
	uint64_t now = clock_mono(), most = 0;
	struct block *chosen = NULL;

	for (size_t i = 0; i < b->count; i++) {
		if (ready(&b->block[i], now))
			most = MAX(most, b->block[i].dirty);
	}
	for (size_t i = 0; i < b->count; i++) {
		struct block *k = &b->block[i];

		if (ready(k, now) && k->dirty >= (turns ? most / 2 : most) &&
		    (!chosen || k->turn < chosen->turn))
			chosen = k;
	}
	return chosen;
}

/* ---- moving ---- */

static void remember_refusal(struct injection *in, struct block *k, const char *what, int err)
{
	unsigned int doublings = MIN(k->refusals, (unsigned int)FADE_DOUBLINGS);

	k->refusals++;
	k->retry = clock_mono() + (FADE_FIRST << doublings);
	if (k->refusals == 1)
		inject_note(in, "block %u refused to go %s: %s", k->number, what, strerror(err));
}

int64_t blocks_room(const struct blocks *b)
{
	return (int64_t)(machine_meminfo_kib("MemAvailable") * KiB) - (int64_t)b->floor;
}

static bool leaves_the_floor(struct injection *in, const struct blocks *b)
{
	int64_t room = blocks_room(b);

	if (room >= (int64_t)b->bytes)
		return true;
	inject_idle(in, "MemAvailable of %lld MiB less a block is below the floor of %llu MiB",
		    (long long)(room + (int64_t)b->floor) / (long long)MiB,
		    (unsigned long long)(b->floor / MiB));
	return false;
}

enum step blocks_take(struct injection *in, struct blocks *b, struct block *k, uint64_t *moved)
{
	struct departure d;
	int err;

	*moved = 0;
	if (!leaves_the_floor(in, b))
		return STEP_IDLE;
	departure_begin(&d, in, &b->census, k->number * frames_of(b), frames_of(b));
	err = machine_memory_block(in->machine, k->number, "offline", b->limit);
	*moved = departure_end(&d, in->exposure, !err);
	k->turn = ++b->turn;
	if (err) {
		remember_refusal(in, k, "offline", err);
		return STEP_REFUSED;
	}
	k->away = true;
	b->away++;
	k->refusals = 0;
	return STEP_DONE;
}

enum step blocks_return(struct injection *in, struct blocks *b, struct block *k)
{
	int err = machine_memory_block(in->machine, k->number,
				       k->movable ? "online_movable" : "online_kernel", b->limit);

	if (err) {
		remember_refusal(in, k, "online", err);
		return STEP_REFUSED;
	}
	k->away = false;
	b->away--;
	return STEP_DONE;
}

/* The last one that was taken before `turn` and is still away. */
static struct block *taken_before(struct blocks *b, uint64_t turn)
{
	struct block *last = NULL;

	for (size_t i = 0; i < b->count && b->away; i++) {
		struct block *k = &b->block[i];

		if (k->away && k->turn < turn && (!last || k->turn > last->turn))
			last = k;
	}
	return last;
}

struct block *blocks_last_taken(struct blocks *b)
{
	return taken_before(b, UINT64_MAX);
}

void blocks_return_all(struct injection *in, struct blocks *b)
{
	struct block *k = blocks_last_taken(b);

	for (; k; k = taken_before(b, k->turn))
		blocks_return(in, b, k);
}
