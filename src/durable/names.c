/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/durable/names.h"

#include <stdlib.h>
#include <string.h>

#include "src/content/hash.h"

#define BUCKETS_FIRST 4096U

void names_begin(struct past_names *p, uint32_t worker)
{
	*p = (struct past_names){.worker = worker};
}

void names_end(struct past_names *p)
{
	free(p->name);
	free(p->event);
	free(p->first);
	free(p->bucket);
	*p = (struct past_names){0};
}

static struct thing thing_of(const struct model_view *v, uint32_t object)
{
	struct object o;

	if (!view_object(v, object, &o))
		return (struct thing){0};
	return (struct thing){object, o.born, o.type};
}

bool names_look(const struct model_view *v, uint32_t number, struct named *out)
{
	struct name n;

	if (!view_name(v, number, &n) || n.parent == OBJECT_HELD || n.parent == OBJECT_NONE)
		return false;
	*out = (struct named){thing_of(v, n.parent), thing_of(v, n.object), {number, n.tag}};
	return true;
}

/* ---- tables that grow */

/* Room for `wanted` records of a table, zeroed. False: there is no memory. */
static bool grow(struct past_names *p, void **table, size_t *room, size_t wanted, size_t size)
{
	size_t more = MAX(wanted, 2 * *room);
	unsigned char *grown;

	if (wanted <= *room)
		return true;
	grown = reallocarray(*table, more, size);
	if (!grown) {
		p->failed = true;
		return false;
	}
	memset(grown + *room * size, 0, (more - *room) * size);
	*table = grown;
	*room = more;
	return true;
}

static bool rehash(struct past_names *p)
{
	size_t buckets = MAX(2 * p->buckets, (size_t)BUCKETS_FIRST);
	uint32_t *fresh;

	if (p->names < p->buckets)
		return true;
	fresh = calloc(buckets, sizeof(*fresh));
	if (!fresh) {
		p->failed = true;
		return false;
	}
	for (size_t i = 0; i < p->names; i++) {
		uint32_t *at = &fresh[p->name[i].hash & (buckets - 1)];

		p->name[i].chain = *at;
		*at = (uint32_t)i + 1;
	}
	free(p->bucket);
	p->bucket = fresh;
	p->buckets = buckets;
	return true;
}

/* ---- names */

static bool is_in(const struct past_name *n, struct thing dir)
{
	return n->dir == dir.object && n->dir_born == dir.born;
}

static struct past_name *find(const struct past_names *p, struct thing dir, uint64_t hash)
{
	uint32_t at = p->buckets ? p->bucket[hash & (p->buckets - 1)] : 0;

	for (; at; at = p->name[at - 1].chain) {
		struct past_name *n = &p->name[at - 1];

		if (n->hash == hash && is_in(n, dir))
			return n;
	}
	return NULL;
}

const struct past_name *names_find(const struct past_names *p, struct thing dir, const char *bytes,
				   size_t len)
{
	return find(p, dir, hash_bytes(bytes, len));
}

static struct past_name *add(struct past_names *p, const struct named *named, uint64_t hash)
{
	void *names = p->name, *firsts = p->first;
	struct past_name *n;
	bool room;

	room = grow(p, &names, &p->name_room, p->names + 1, sizeof(*p->name));
	p->name = names;
	room &= grow(p, &firsts, &p->firsts, (size_t)named->dir.object + 1, sizeof(*p->first));
	p->first = firsts;
	if (!room || !rehash(p))
		return NULL;
	n = &p->name[p->names];
	*n = (struct past_name){
		.dir = named->dir.object,
		.dir_born = named->dir.born,
		.hash = hash,
		.ref = named->ref,
		.next = p->first[named->dir.object],
		.chain = p->bucket[hash & (p->buckets - 1)],
	};
	p->first[named->dir.object] = p->bucket[hash & (p->buckets - 1)] = (uint32_t)++p->names;
	return n;
}

void names_note(struct past_names *p, const struct named *named, bool shared, struct thing to,
		uint64_t operation)
{
	char bytes[256];
	const uint64_t hash = hash_bytes(bytes, content_name(named->ref, p->worker, shared, bytes));
	struct past_name *n = find(p, named->dir, hash);
	void *events = p->event;
	bool room = grow(p, &events, &p->event_room, p->events + 1, sizeof(*p->event));

	p->event = events;
	if (!room || (!n && !(n = add(p, named, hash))))
		return;
	p->event[p->events] = (struct name_event){operation, to, n->newest};
	n->newest = (uint32_t)++p->events;
	n->ref = named->ref;
}

const struct past_name *names_next(const struct past_names *p, struct thing dir, const struct past_name *n)
{
	uint32_t at = n ? n->next : dir.object < p->firsts ? p->first[dir.object] : 0;

	while (at && !is_in(&p->name[at - 1], dir))
		at = p->name[at - 1].next;
	return at ? &p->name[at - 1] : NULL;
}

const struct name_event *names_before(const struct past_names *p, const struct name_event *e)
{
	return e->before ? &p->event[e->before - 1] : NULL;
}

const struct name_event *names_at(const struct past_names *p, const struct past_name *n, uint64_t operation)
{
	const struct name_event *e = n->newest ? &p->event[n->newest - 1] : NULL;

	while (e && e->operation > operation)
		e = names_before(p, e);
	return e;
}
