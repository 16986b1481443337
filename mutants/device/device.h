/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image, served as a disk: reads, writes, flushes and discards, each done faithfully or by the one mutant
 * that the device has. What a mutant did to the image is known to the sector until the place is written
 * again.
 */
#ifndef MUTANTS_DEVICE_H
#define MUTANTS_DEVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mutants/common/chance.h"
#include "mutants/common/truth.h"
#include "mutants/device/damage.h"
#include "mutants/device/log.h"
#include "mutants/device/regions.h"

#define SECTOR      512u
#define BLOCK       4096u
#define NOWHERE     UINT64_MAX
#define REQUEST_MAX (1u << 20) /* bytes: the most that FUSE asks for at once with 256 pages */

struct history;
struct mutant;
struct order;

struct device {
	const struct mutant *mutant;
	int backing;   /* the image */
	uint64_t size; /* of it, bytes */
	struct chance chance;
	struct truth truth;
	enum scope scope;
	struct regions regions;
	struct damage damage;
	struct log log;
	struct history *history; /* NULL: the mutant doesn't want one */
	struct order *order;     /* likewise */
	bool owed; /* a firing was drawn for a request that it couldn't change: the next one has it */
	uint64_t since_flush;      /* writes */
	uint64_t recent[64];       /* places of the last writes */
	uint64_t recents;          /* how many there were */
	unsigned char *old, *made; /* REQUEST_MAX bytes each, for the request that is being served */
};

struct request {
	unsigned int on; /* one of ON_... */
	uint64_t offset, length;
	const unsigned char *data; /* of a write; NULL else */
};

/* What a mutant may do to a request: the part in scope, and the chance as it will be when it has fired. */
struct attempt {
	const struct request *request;
	uint64_t offset;
	size_t length;
	struct chance would;
};

/* Make a device of what the caller has set: mutant, backing, chance, scope; truth and log are open or absent.
 * 0 or -errno. */
int device_start(struct device *d);

/* Write the last lines of the truth and let go of all memory; what was held back is written first. The caller
 * closes backing, truth and log. */
void device_end(struct device *d);

/* A request. Bytes done (less than asked at the end of the device), 0 for those that move none, or -errno. */
ssize_t device_read(struct device *d, void *data, size_t length, uint64_t offset);
ssize_t device_write(struct device *d, const void *data, size_t length, uint64_t offset);
int device_flush(struct device *d);
int device_discard(struct device *d, uint64_t offset, uint64_t length);

/* For mutants. The image as it is, and a change to it, which the log gets too: 0 or -errno. */
int image_load(const struct device *d, void *data, size_t length, uint64_t offset);
int image_store(struct device *d, const void *data, size_t length, uint64_t offset);
int image_zero(struct device *d, uint64_t offset, uint64_t length);

/* Write to the log, if there is one: flags of log.h. */
void device_note(struct device *d, uint32_t flags, uint64_t offset, uint64_t length, const void *data);

/* The mutant has fired at `a`: count it and write it down. `more` is released; what it has of offset, length
 * and kind stands in place of the attempt's. The number of the firing. */
uint64_t device_fired(struct device *d, const struct attempt *a, json_t *more);

/* [offset, offset + length) of the image is now as a faithful device would have it, because of `why`. */
void device_healed(struct device *d, uint64_t offset, uint64_t length, const char *why);

#endif
