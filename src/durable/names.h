/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The past of a worker's names: for each name in each directory, to which object it led when. Directories and
 * objects are told by id and birth, since ids are used again.
 */
#ifndef RECOW_DURABLE_NAMES_H
#define RECOW_DURABLE_NAMES_H

#include "src/model/model.h"

/* An object among all that had its id. */
struct thing {
	uint32_t object; /* OBJECT_NONE: nothing */
	uint64_t born;   /* operation that made it */
	uint8_t type;    /* enum object_type */
};

/* From `operation` on the name led to `to`. */
struct name_event {
	uint64_t operation;
	struct thing to;
	uint32_t before; /* 1 + index of the event before of the same name; 0: there was none, nor a name */
};

struct past_name {
	uint32_t dir, next; /* 1 + index of another one in a directory with that id; 0: none */
	uint64_t dir_born;
	uint64_t hash; /* XXH3 of its bytes */
	struct nameref ref;
	uint32_t newest; /* 1 + index of its last event */
	uint32_t chain;  /* 1 + index of another one with such a hash */
};

struct past_names {
	uint32_t worker;
	struct past_name *name;
	size_t names, name_room;
	struct name_event *event;
	size_t events, event_room;
	uint32_t *first; /* by id of the directory: 1 + index of a name in it */
	size_t firsts;
	uint32_t *bucket;
	size_t buckets;
	bool failed; /* there was no memory: what is here is not all */
};

void names_begin(struct past_names *p, uint32_t worker);
void names_end(struct past_names *p);

/* Which name a record of the model is, and where it leads. False when it is in use for none: free, or of a
 * file that has no name. */
struct named {
	struct thing dir, to;
	struct nameref ref;
};
bool names_look(const struct model_view *v, uint32_t number, struct named *out);

/* The name leads there from `operation` on; `to.object` OBJECT_NONE: it is gone. `shared`: workers share the
 * directory. */
void names_note(struct past_names *p, const struct named *n, bool shared, struct thing to,
		uint64_t operation);

/* The name of these bytes in a directory, NULL if it never was there. */
const struct past_name *names_find(const struct past_names *p, struct thing dir, const char *bytes,
				   size_t len);

/* Names that were ever in a directory: the next one behind `n`, the first for NULL. */
const struct past_name *names_next(const struct past_names *p, struct thing dir, const struct past_name *n);

/* The last event of a name up to `operation`; NULL: it had led nowhere yet. Likewise the event before. */
const struct name_event *names_at(const struct past_names *p, const struct past_name *n, uint64_t operation);
const struct name_event *names_before(const struct past_names *p, const struct name_event *e);

#endif
