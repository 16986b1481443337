/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mutant of a device: one bug of a disk, a controller or a cache. Most spoil the content of a request,
 * which is a function of what is there and what should be there; the device does the rest. The others answer
 * a request in place of the device.
 */
#ifndef MUTANTS_MUTANT_H
#define MUTANTS_MUTANT_H

#include "mutants/common/settings.h"
#include "mutants/device/device.h"

#define ON_READ    1u
#define ON_WRITE   2u
#define ON_FLUSH   4u
#define ON_DISCARD 8u

/* Content that is about to be spoiled: of a write what will be stored, of a read what will be answered. */
struct spoil {
	struct device *device;
	const struct chance *chance; /* where the random numbers of this firing come from */
	uint64_t offset;
	size_t length;
	const unsigned char *old;   /* what the image holds */
	const unsigned char *right; /* what a faithful device would store or answer */
	unsigned char *made;        /* what this one will; a copy of `right` at first */
	uint64_t from;              /* out: the image's content of there was taken; NOWHERE at first */
	uint64_t landing;           /* out, writes only: `right` is stored there as well; NOWHERE at first */
};

struct mutant {
	struct about about;
	unsigned int on;          /* which requests it hits */
	const char *kind;         /* of the ground truth: docs/mutants-device.md */
	const char *kind_landing; /* what is wrong at the landing; NULL: it has none */
	size_t least;             /* bytes that a request must have in scope */
	bool behind_flush;        /* only the first write behind a flush */
	bool wants_history, wants_order;

	/* Change made[]. False: nothing to be done here. */
	bool (*spoil)(struct spoil *s);
	/* Do in place of the request what the device should; report with device_fired(). What the request is
	 * answered with; `data` is a read's. NOT_NOW: nothing was done, serve it. */
	ssize_t (*answer)(struct device *d, struct attempt *a, void *data);
	/* Called before each request, fired or not. NULL: not wanted. */
	void (*before)(struct device *d, const struct request *r);
	/* Called behind each flush. */
	void (*flushed)(struct device *d);
};

#define NOT_NOW ((ssize_t)-1000000)

/* All of them, by name, for the command line and for the device. */
extern const struct mutant *const device_mutants[];
extern const size_t device_mutant_count;

/* Try one() on each whole piece of `size` bytes, from a random one on and around, until it has changed
 * made[]. `at` is within the spoilt part. A part that is smaller than a piece is one piece. */
bool spoil_pieces(struct spoil *s, size_t size, void (*one)(struct spoil *s, size_t at, size_t length));

/* Where content can go astray to: a place of the same region as [offset, offset + length) and apart from it,
 * whose content is not `right`. NOWHERE if none was found. */
uint64_t place_elsewhere(struct device *d, const struct chance *c, uint64_t offset, size_t length,
			 const unsigned char *right);

#endif
