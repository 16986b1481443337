/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the operations of a journal did to attributes, record by record: which objects got which size, mode,
 * owner, time, number of links. Follows the objects and names of one worker as far as that takes: the size of
 * what is cloned and where to, the object that a name belongs to. No data, and no kernel: only what the
 * journal has.
 */
#ifndef RECOW_EFFECTS_H
#define RECOW_EFFECTS_H

#include "src/finding/finding.h"
#include "src/journal/record.h"

#define EFFECT(attribute) (1U << (attribute))

/* What a record did to one object. */
struct effect {
	uint32_t object;
	bool made;      /* it is new: what had this number before is gone */
	uint32_t sets;  /* EFFECT()s: these attributes have the values below now */
	uint32_t maybe; /* these may have them now, or may not */
	uint32_t lost;  /* these have values that the journal doesn't tell */
	uint64_t size;
	uint32_t mode, uid, gid, links;
	int64_t mtime_min, mtime_max; /* ns since the epoch, by the clock at the run's start; equal when the
				       * time was given */
	bool removed;                 /* ATTRIBUTE_XATTR: it is gone, */
	uint32_t number, length;      /* or this one has a value of this length now */
	uint32_t instead_of;          /* it got the name that this object had */
};
#define EFFECTS_MAX 4

/* An object as far as it is followed. Nothing is known of one that the journal hasn't shown yet. */
struct effects_object {
	uint64_t size;
	uint32_t links;
	bool size_known, links_known;
	size_t clones; /* that there were before it was made */
};

/* Bytes [here, here + length) of an object took over those of another, or of its own, from `there` on. */
struct effects_clone {
	uint32_t object, source;
	uint64_t operation, here, there, length;
};

struct effects {
	uint64_t start; /* CLOCK_REALTIME of the run's start, ns */
	struct effects_object *object;
	uint32_t *object_of;     /* by the number of a name; 0: not known */
	uint32_t objects, names; /* room */
	struct effects_clone *clone;
	size_t clones, clones_room;
	uint64_t operation; /* of the last record */
};

/* Ready for the first record. `start` is that of the journal's header. */
void effects_begin(struct effects *e, uint64_t start);
void effects_end(struct effects *e);

/* Follow the next record. Returns how many objects it did something to, EFFECTS_MAX at most; fills `out`.
 * Records that did nothing to attributes do nothing to any. */
unsigned int effects_of(struct effects *e, const struct journal_record *r, struct effect out[EFFECTS_MAX]);

/* Did the record that was followed last clone to byte `offset` of `object` what operation `operation` wrote
 * at byte `source_offset` of `source`: from there, or from where that had been cloned to before? */
bool effects_cloned(const struct effects *e, uint32_t object, uint64_t offset, uint32_t source,
		    uint64_t source_offset, uint64_t operation);

/* Does it know what an operation does? For all of src/ops/table.c it does. */
bool effects_know(uint16_t kind);

#endif
