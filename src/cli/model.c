/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorded state for others to compare with: docs/formats.md, "Model export". */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "config.h"
#include "src/base/units.h"
#include "src/cli/cli.h"
#include "src/cli/stored.h"
#include "src/plan/plan.h"

#define BATCH 256

static const char *const types[] = {"free", "file", "dir", "symlink", "whiteout"};

static json_t *hex(uint64_t n)
{
	return json_sprintf("%016" PRIx64, n);
}

static json_t *escaped(const void *bytes, size_t len)
{
	char text[4 * 4096 + 4];

	return json_string(bytes_escape(text, sizeof(text), bytes, len));
}

static struct content_key key_of(const struct model_view *v, uint64_t operation, uint32_t object)
{
	return (struct content_key){v->run, {v->worker, operation}, object};
}

/* Every path of an object, as the model knows it. */
static json_t *paths_json(const struct model_view *v, const struct object *o)
{
	json_t *list = json_array();
	uint32_t number = o->first_name;
	char path[4096];
	struct name n;

	while (number != NAME_NONE && view_name(v, number, &n) && n.parent != OBJECT_HELD) {
		int len = view_path(v, number, path, sizeof(path));

		if (len >= 0)
			json_array_append_new(list, escaped(path, (size_t)len));
		number = n.next;
	}
	return list;
}

static json_t *xattrs_json(const struct model_view *v, uint32_t object, const struct object *o)
{
	json_t *all = json_object();
	uint32_t number = o->first_xattr;
	struct xattr x;

	while (number && view_xattr(v, number - 1, &x)) {
		const struct content_key key = key_of(v, x.operation, object);
		unsigned char *value = malloc((size_t)x.length + 1);
		char name[48];

		if (!value)
			break;
		content_xattr(&key, x.number, value, x.length);
		snprintf(name, sizeof(name), "user.recow.%u", x.number);
		json_object_set_new(all, name,
				    json_pack("{s:o, s:I}", "xxh3", hex(XXH3_64bits(value, x.length)),
					      "length", (json_int_t)x.length));
		free(value);
		number = x.next;
	}
	return all;
}

static json_t *blocks_json(const struct model_view *v, uint32_t object, const struct object *o)
{
	json_t *list = json_array();
	struct block_entry entries[BATCH];
	struct fragment one;
	uint64_t at = 0;
	size_t n;

	while ((n = view_blocks(v, o, at, BATCH, entries)) > 0) {
		for (size_t i = 0; i < n; i++) {
			bool hole = view_fragments(v, object, &entries[i], &one, 1) == 0;

			json_array_append_new(list, hole ? json_null() : hex(entries[i].hash));
		}
		at += n;
	}
	return list;
}

/* Of a shared file each worker's model has its own bytes only: [offset, length, XXH3-64] of each stretch. */
static json_t *fragments_json(const struct model_view *v, uint32_t object, const struct object *o)
{
	static _Thread_local struct fragment list[FRAGMENTS_MAX];
	json_t *all = json_array();
	struct block_entry entry;
	unsigned char bytes[BLOCK_SIZE];

	for (uint64_t block = 0; view_blocks(v, o, block, 1, &entry) == 1; block++) {
		size_t n = view_fragments(v, object, &entry, list, FRAGMENTS_MAX);

		view_regenerate(v, object, block, &entry, bytes);
		for (size_t i = 0; i < n; i++) {
			const uint64_t offset = block * BLOCK_SIZE + list[i].start;
			const uint64_t sum = XXH3_64bits(bytes + list[i].start, list[i].length);

			json_array_append_new(all, json_pack("[I, I, o]", (json_int_t)offset,
							     (json_int_t)list[i].length, hex(sum)));
		}
	}
	return all;
}

static json_t *symlink_json(const struct model_view *v, uint32_t object, const struct object *o)
{
	const struct content_key key = key_of(v, o->born, object);
	char target[4096];

	if (o->size >= sizeof(target))
		return json_null();
	content_symlink(&key, target, o->size);
	return escaped(target, o->size);
}

static json_t *object_json(const struct model_view *v, uint32_t number, const struct object *o)
{
	json_t *j =
		json_pack("{s:i, s:I, s:s, s:o, s:I, s:i, s:I, s:I, s:I, s:[II], s:b, s:b, s:b, s:b}",
			  "worker", (int)v->worker, "object", (json_int_t)number, "type", types[o->type],
			  "paths", paths_json(v, o), "size", (json_int_t)o->size, "mode", (int)o->mode, "uid",
			  (json_int_t)o->uid, "gid", (json_int_t)o->gid, "nlink", (json_int_t)o->links,
			  "mtime_ns", (json_int_t)o->mtime_min, (json_int_t)o->mtime_max, "anchor",
			  (o->flags & OBJECT_ANCHOR) != 0, "shared", (o->flags & OBJECT_SHARED) != 0,
			  "unsure", (o->flags & OBJECT_UNSURE) != 0, "held", object_is_held(o));

	json_object_set_new(j, "xattrs", xattrs_json(v, number, o));
	if (o->type == OBJECT_SYMLINK)
		json_object_set_new(j, "target", symlink_json(v, number, o));
	if (view_is_shared_file(v, number))
		json_object_set_new(j, "fragments", fragments_json(v, number, o));
	else if (o->type == OBJECT_FILE)
		json_object_set_new(j, "blocks", blocks_json(v, number, o));
	return j;
}

static void print_line(json_t *j)
{
	json_dumpf(j, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(j);
}

static void print_text(const struct model_view *v, uint32_t number, const struct object *o)
{
	static const char letters[] = {'?', '-', 'd', 'l', 'c'};
	json_t *paths = paths_json(v, o), *path;
	char label[64];
	size_t i;

	if (object_is_held(o)) {
		held_label(v->worker, number, label, sizeof(label));
		json_array_append_new(paths, json_string(label));
	}
	json_array_foreach(paths, i, path)
	{
		printf("%c%04o %2u %5u %5u %12" PRIu64 " %s%s\n", letters[o->type], o->mode, o->links, o->uid,
		       o->gid, o->size, json_string_value(path),
		       o->flags & OBJECT_ANCHOR   ? " (anchor)"
		       : o->flags & OBJECT_UNSURE ? " (content unknown after an error)"
						  : "");
	}
	json_decref(paths);
}

static int print_view(const struct model_view *v, bool json, struct error *e)
{
	uint32_t corrupted = atomic_load(&v->pool->corrupted);

	if (json)
		print_line(json_pack("{s:s, s:i, s:o, s:i, s:I, s:I, s:I}", "recow", PACKAGE_VERSION,
				     "format", 1, "run_key", hex(v->run), "worker", (int)v->worker,
				     "operations", (json_int_t)v->operations, "objects",
				     (json_int_t)v->objects.live, "bytes", (json_int_t)v->bytes));
	for (uint32_t i = 0; i < v->objects.count; i++) {
		struct object o;

		if (!view_object(v, i, &o) || o.type == OBJECT_FREE)
			continue;
		if (json)
			print_line(object_json(v, i, &o));
		else
			print_text(v, i, &o);
	}
	if (atomic_load(&v->pool->corrupted) != corrupted)
		return error_set(e, EXIT_HARNESS, "the model of worker %u fails its own checksums",
				 v->worker);
	return 0;
}

static int print_worker(const char *run, uint32_t worker, bool json, struct error *e)
{
	struct stored_model stored;
	struct frozen *frozen;
	int ret;

	if (stored_open(&stored, run, worker, e))
		return -1;
	frozen = model_freeze(&stored.model);
	ret = frozen ? print_view(&frozen->view, json, e)
		     : error_errno(e, EXIT_HARNESS, ENOMEM, "model of worker %u", worker);
	if (frozen)
		model_release(frozen);
	stored_close(&stored);
	return ret;
}

static bool exists(const char *run, uint32_t worker)
{
	char path[4096 + 32];

	snprintf(path, sizeof(path), "%s/model/w%04u.model", run, worker);
	return access(path, F_OK) == 0;
}

int command_model(int argc, char **argv, struct error *e)
{
	static const struct option options[] = {
		{"worker", required_argument, NULL, 'w'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	uint64_t worker = UINT64_MAX;
	const char *run;
	bool json = false;
	int c;

	while ((c = cli_option(argc, argv, ":h", options, e)) != -1) {
		if (c == -2)
			return -1;
		if (c == 'h')
			return cli_help(argv[0]);
		if (c == 'w' && units_count(optarg, &worker, e))
			return error_context(e, "--worker");
		json |= c == 'j';
	}
	if (cli_one_argument(argc, argv, "the run directory", &run, e))
		return -1;
	if (worker != UINT64_MAX && worker >= PLAN_WORKERS)
		return error_set(e, EXIT_USAGE, "--worker: a run has at most %d workers", PLAN_WORKERS);
	if (worker != UINT64_MAX)
		return print_worker(run, (uint32_t)worker, json, e);
	if (!exists(run, 0))
		return error_set(e, EXIT_USAGE,
				 "%s holds no model (model/w0000.model): not a run, or it had no checkpoint",
				 run);
	for (uint32_t i = 0; exists(run, i); i++) {
		if (print_worker(run, i, json, e))
			return -1;
	}
	return EXIT_CLEAN;
}
