/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/namer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/cli/stored.h"
#include "src/journal/file.h"

/* What a record does to names; by the operation's name, which is part of the journal's format. */
enum effect { EFFECT_NONE, EFFECT_MAKES, EFFECT_MAKES_DIR, EFFECT_LINKS, EFFECT_MOVES, EFFECT_EXCHANGES };

static enum effect effect_of(const struct journal_record *r)
{
	static const struct {
		const char *name;
		enum effect effect;
	} effects[] = {
		{"create", EFFECT_MAKES},
		{"symlink", EFFECT_MAKES},
		{"mkdir", EFFECT_MAKES_DIR},
		{"link", EFFECT_LINKS},
		{"rename", EFFECT_MOVES},
		{"rename_over", EFFECT_MOVES},
		{"noreplace", EFFECT_MOVES},
		{"whiteout", EFFECT_MOVES},
		{"exchange", EFFECT_EXCHANGES},
		{"linkat", EFFECT_LINKS},
		{"subvol_create", EFFECT_MAKES_DIR},
	};
	const struct op *op = op_by_id(r->kind);

	for (size_t i = 0; op && i < ARRAY_SIZE(effects); i++) {
		if (strcmp(effects[i].name, op->name) == 0)
			return effects[i].effect;
	}
	return EFFECT_NONE;
}

/* NULL only when memory is out: then paths show the directory's number. */
static struct namer_place *place_of(struct namer *n, uint32_t object)
{
	if (object >= n->room) {
		size_t room = MAX((size_t)object + 1, n->room * 2);
		struct namer_place *grown = realloc(n->places, room * sizeof(*grown));

		if (!grown)
			return NULL;
		memset(grown + n->room, 0, (room - n->room) * sizeof(*grown));
		n->places = grown;
		n->room = room;
	}
	return &n->places[object];
}

static void put(struct namer *n, uint32_t object, uint32_t dir, struct nameref name, bool shared)
{
	struct namer_place *p = place_of(n, object);

	if (p)
		*p = (struct namer_place){
			.name = name, .dir = dir, .shared = shared, .known = true, .settled = true};
}

void namer_learn(struct namer *n, const struct journal_record *r)
{
	if (r->flags & JOURNAL_MARK || r->answer < 0)
		return;
	switch (effect_of(r)) {
	case EFFECT_MAKES_DIR:
		put(n, r->args.object, r->args.dir, r->args.name, r->flags & JOURNAL_SHARED);
		break;
	case EFFECT_MOVES:
		put(n, r->args.object, r->args.dir2, r->args.name2, r->flags & JOURNAL_SHARED2);
		break;
	case EFFECT_EXCHANGES:
		put(n, r->args.object, r->args.dir2, r->args.name2, r->flags & JOURNAL_SHARED2);
		put(n, r->args.aux, r->args.dir, r->args.name, r->flags & JOURNAL_SHARED);
		break;
	case EFFECT_MAKES:
	case EFFECT_LINKS:
	case EFFECT_NONE:
		break;
	}
}

/* ---- the journal's head is gone */

/* The second of two that exchange their names. */
static void settle_other(struct namer *n, const struct journal_record *r)
{
	struct namer_place *p = place_of(n, r->args.aux);

	if (p && !p->settled)
		put(n, r->args.aux, r->args.dir2, r->args.name2, r->flags & JOURNAL_SHARED2);
}

/* The first record about an object says where it was before the journal begins. */
static void settle(struct namer *n, const struct journal_record *r)
{
	enum effect effect = effect_of(r);
	struct namer_place *p;

	if (effect == EFFECT_EXCHANGES)
		settle_other(n, r);
	if (r->flags & JOURNAL_MARK || r->args.dir == OBJECT_NONE || !(p = place_of(n, r->args.object)) ||
	    p->settled)
		return;
	if (effect == EFFECT_MAKES || effect == EFFECT_MAKES_DIR)
		p->settled = r->answer >= 0;
	else
		put(n, r->args.object, r->args.dir, r->args.name, r->flags & JOURNAL_SHARED);
}

static void settle_from_model(struct namer *n, const struct model_view *v)
{
	for (uint32_t i = 0; i < v->objects.count; i++) {
		struct namer_place *p;
		struct object o, parent;
		struct name name;

		if (!view_object(v, i, &o) || o.type != OBJECT_DIR || o.flags & OBJECT_ANCHOR)
			continue;
		p = place_of(n, i);
		if (!p || p->settled || !view_name(v, o.first_name, &name) ||
		    !view_object(v, name.parent, &parent))
			continue;
		put(n, i, name.parent, (struct nameref){o.first_name, name.tag},
		    parent.flags & OBJECT_SHARED);
	}
}

static int settle_all(struct namer *n, const char *run, struct journal_reader *reader, struct error *e)
{
	struct stored_model stored;
	struct journal_record r;
	uint64_t truncated = 0;
	struct error unused;
	int more;

	while ((more = journal_reader_next(reader, &r, &truncated, e)) > 0)
		settle(n, &r);
	if (more < 0)
		return -1;
	/* Without a checkpoint some directories stay numbers; no reason to show nothing. */
	if (stored_open(&stored, run, n->worker, &unused) == 0) {
		settle_from_model(n, &stored.model.head);
		stored_close(&stored);
	}
	return 0;
}

int namer_begin(struct namer *n, const char *run, uint32_t worker, unsigned int shared_dirs, struct error *e)
{
	struct journal_reader *reader;
	char dir[4096 + 16];
	int ret = 0;

	*n = (struct namer){.worker = worker, .shared_dirs = shared_dirs};
	snprintf(dir, sizeof(dir), "%s/journal", run);
	reader = journal_reader_open(dir, worker, e);
	if (!reader)
		return -1;
	if (journal_reader_header(reader)->first > 1)
		ret = settle_all(n, run, reader, e);
	journal_reader_close(reader);
	return ret;
}

void namer_end(struct namer *n)
{
	free(n->places);
	n->places = NULL;
	n->room = 0;
}

/* ---- paths */

/* A path is put together from its end: *at moves towards the start of the buffer. */
static bool prepend(char *buf, size_t *at, const char *bytes, size_t len)
{
	if (*at < len + 1)
		return false;
	*at -= len;
	memcpy(buf + *at, bytes, len);
	if (*at)
		buf[--*at] = '/';
	return true;
}

static void prepend_dirs(const struct namer *n, uint32_t dir, char *buf, size_t *at)
{
	char name[256];

	for (int depth = 0; depth < 256; depth++) {
		const struct namer_place *p = dir < n->room ? &n->places[dir] : NULL;

		if (dir < OBJECT_FIRST_SHARED + n->shared_dirs) {
			anchor_path(n->worker, dir, name, sizeof(name));
			prepend(buf, at, name, strlen(name));
			return;
		}
		if (!p || !p->known) {
			prepend(buf, at, name, (size_t)snprintf(name, sizeof(name), "?%u", dir));
			return;
		}
		if (!prepend(buf, at, name, content_name(p->name, n->worker, p->shared, name)))
			return;
		dir = p->dir;
	}
}

static void escaped_path(const struct namer *n, uint32_t dir, struct nameref ref, bool shared, char *buf,
			 size_t len)
{
	char raw[4096 + 256], name[256];
	size_t at = sizeof(raw);

	if (ref.tag)
		prepend(raw, &at, name, content_name(ref, n->worker, shared, name));
	prepend_dirs(n, dir, raw, &at);
	while (at < sizeof(raw) && raw[at] == '/')
		at++;
	bytes_escape(buf, len, raw + at, sizeof(raw) - at);
}

static void quoted_path(const void *self, uint32_t dir, struct nameref ref, bool shared, char *buf,
			size_t len)
{
	char text[4 * 4096];

	escaped_path(self, dir, ref, shared, text, sizeof(text));
	snprintf(buf, len, "\"%s\"", text);
}

struct op_namer namer_for_show(const struct namer *n)
{
	return (struct op_namer){.path = quoted_path, .self = n, .worker = n->worker};
}

unsigned int namer_paths(const struct namer *n, const struct journal_record *r, char path[2][4 * 4096])
{
	enum effect effect = effect_of(r);

	if (r->args.dir == OBJECT_HELD)
		held_label(n->worker, r->args.object, path[0], sizeof(path[0]));
	else if (r->args.dir == OBJECT_NONE) /* an anchor */
		escaped_path(n, r->args.object, (struct nameref){0}, false, path[0], sizeof(path[0]));
	else
		escaped_path(n, r->args.dir, r->args.name, r->flags & JOURNAL_SHARED, path[0],
			     sizeof(path[0]));
	if (effect != EFFECT_LINKS && effect != EFFECT_MOVES && effect != EFFECT_EXCHANGES)
		return 1;
	escaped_path(n, r->args.dir2, r->args.name2, r->flags & JOURNAL_SHARED2, path[1], sizeof(path[1]));
	return 2;
}
