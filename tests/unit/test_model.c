/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long random histories: the model, its frozen views and its file against the reference. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/base/random.h"
#include "tests/unit/reference.h"
#include "tests/unit/unit.h"

#define POOL_BYTES (256 * MiB)
#define WORKER     5U
#define RUN        0xfeedfaceULL
#define SHARED     3U
#define VIEWS      5U

struct world {
	struct page_pool *pool;
	struct model model;
	struct reference *ref;
	struct stream random;
	uint64_t op;
	struct {
		struct frozen *frozen;
		struct reference *ref;
	} view[VIEWS];
	unsigned char data[REF_BYTES];
};

static struct page_pool *pool_map(void)
{
	void *p = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return page_pool_init(p, POOL_BYTES);
}

static struct world *world_make(uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	struct error e;

	assert_non_null(w);
	w->pool = pool_map();
	w->random = stream_make(seed, 0, 0);
	w->ref = malloc(sizeof(*w->ref));
	assert_non_null(w->ref);
	ref_init(w->ref, WORKER, RUN, SHARED + 1);
	assert_int_equal(model_init(&w->model, w->pool, WORKER, RUN, SHARED, &e), 0);
	ref_compare(w->ref, &w->model.head);
	return w;
}

static void world_free(struct world *w)
{
	model_destroy(&w->model);
	ref_free(w->ref);
	munmap(w->pool, POOL_BYTES);
	free(w);
}

static uint64_t below(struct world *w, uint64_t n)
{
	return stream_below(&w->random, n);
}

static uint32_t pick(struct world *w, enum pick list)
{
	return model_pick(&w->model, list, stream_u64(&w->random));
}

static uint32_t object_of(const struct world *w, uint32_t name)
{
	return w->ref->name[name].object;
}

static struct nameref some_name(struct world *w, uint32_t number)
{
	return nameref_make(number, (unsigned int)stream_log(&w->random, 1, 255),
			    (uint32_t)below(w, 1 << 30));
}

/* ---- operations on both ------------------------------------------------------------------ */

static void do_create(struct world *w)
{
	static const enum object_type types[] = {OBJECT_FILE, OBJECT_FILE, OBJECT_DIR, OBJECT_SYMLINK};
	struct model_create c = {
		.type = types[below(w, 4)],
		.parent = object_of(w, pick(w, PICK_DIR)),
		.name = some_name(w, model_next_name(&w->model)),
		.mode = (uint16_t)below(w, 010000),
		.time_min = (int64_t)w->op * 7,
		.time_max = (int64_t)w->op * 7 + 1000,
		.uid = (uint32_t)below(w, 3),
	};
	uint32_t id = model_next_object(&w->model);
	struct object parent = {0}, o = {0};

	if (model_pick_count(&w->model, PICK_FILE) + model_pick_count(&w->model, PICK_DIR) +
		    model_pick_count(&w->model, PICK_SYMLINK) >
	    120)
		return;
	c.size = c.type == OBJECT_SYMLINK ? below(w, 4096) : 0;
	assert_int_equal(model_create(&w->model, w->op, &c), id);
	w->ref->object[id] = (struct ref_object){
		.type = c.type,
		.size = c.size,
		.mode = c.mode,
		.uid = c.uid,
		.mtime = c.time_min,
		.born = w->op,
		.changed = w->op,
	};
	ref_name_set(w->ref, c.name.number, id, c.parent, c.name);
	assert_true(view_object(&w->model.head, c.parent, &parent) && view_object(&w->model.head, id, &o));
	assert_int_equal(o.flags & OBJECT_REALM, parent.flags & OBJECT_REALM);
	assert_int_equal(o.flags & ~OBJECT_REALM, 0);
	assert_int_equal(o.depth, parent.depth + 1);
}

static void do_link(struct world *w)
{
	uint32_t name = pick(w, PICK_FILE);
	uint32_t dir = object_of(w, pick(w, PICK_DIR));
	struct nameref ref = some_name(w, model_next_name(&w->model));

	if (name == NAME_NONE || ref.number > 200)
		return;
	model_link(&w->model, w->op, object_of(w, name), dir, ref);
	ref_name_set(w->ref, ref.number, object_of(w, name), dir, ref);
	w->ref->object[object_of(w, name)].changed = w->op;
}

static void do_unlink(struct world *w)
{
	uint32_t name = pick(w, below(w, 3) ? PICK_FILE : below(w, 2) ? PICK_SYMLINK : PICK_WHITEOUT);

	if (name == NAME_NONE)
		return;
	model_unlink(&w->model, w->op, name);
	ref_unlink(w->ref, w->op, name);
}

static bool removable_dir(const struct world *w, uint32_t name)
{
	uint32_t id = object_of(w, name);

	return id > w->ref->anchors && ref_children(w->ref, id) == 0;
}

static void do_rmdir(struct world *w)
{
	uint32_t name = pick(w, PICK_DIR);

	if (!removable_dir(w, name))
		return;
	model_unlink(&w->model, w->op, name);
	ref_unlink(w->ref, w->op, name);
}

/* A victim that rename(2) would accept for this name. */
static uint32_t some_victim(struct world *w, uint32_t name)
{
	uint32_t victim;

	if (below(w, 2))
		return NAME_NONE;
	if (w->ref->object[object_of(w, name)].type != OBJECT_DIR)
		return pick(w, below(w, 2) ? PICK_FILE : below(w, 2) ? PICK_SYMLINK : PICK_WHITEOUT);
	victim = pick(w, PICK_DIR);
	return removable_dir(w, victim) ? victim : NAME_NONE;
}

static void do_rename(struct world *w)
{
	uint32_t name = pick(w, (enum pick)below(w, PICK_HELD));
	uint32_t dir = object_of(w, pick(w, PICK_DIR)), victim;
	struct nameref to;
	struct object o = {0}, parent = {0};
	uint32_t id;

	if (name == NAME_NONE || object_of(w, name) <= w->ref->anchors)
		return;
	id = object_of(w, name);
	victim = some_victim(w, name);
	dir = victim == NAME_NONE ? dir : w->ref->name[victim].parent;
	if (ref_is_above(w->ref, id, dir))
		return;
	to = some_name(w, name);
	model_rename(&w->model, w->op, name, dir, to, victim);
	if (victim == NAME_NONE) {
		ref_name_set(w->ref, name, id, dir, to);
	} else if (object_of(w, victim) != id) {
		struct ref_name kept = w->ref->name[victim];

		ref_unlink(w->ref, w->op, victim);
		kept.object = id;
		w->ref->name[victim] = kept;
		ref_unlink(w->ref, w->op, name);
	} else {
		return;
	}
	w->ref->object[id].changed = w->op;
	assert_true(view_object(&w->model.head, id, &o) && view_object(&w->model.head, dir, &parent));
	assert_int_equal(o.depth, parent.depth + 1);
}

/* Exchange any two names that are not one above the other. */
static void do_exchange(struct world *w)
{
	uint32_t name = pick(w, (enum pick)below(w, PICK_HELD));
	uint32_t other = pick(w, (enum pick)below(w, PICK_HELD));
	struct object o = {0}, parent = {0};

	if (name == NAME_NONE || other == NAME_NONE || object_of(w, name) <= w->ref->anchors ||
	    object_of(w, other) <= w->ref->anchors)
		return;
	if (ref_is_above(w->ref, object_of(w, name), w->ref->name[other].parent) ||
	    ref_is_above(w->ref, object_of(w, other), w->ref->name[name].parent))
		return;
	model_exchange(&w->model, w->op, name, other);
	if (object_of(w, name) == object_of(w, other))
		return;
	ref_exchange(w->ref, w->op, name, other);
	assert_true(view_object(&w->model.head, object_of(w, name), &o) &&
		    view_object(&w->model.head, w->ref->name[name].parent, &parent));
	assert_int_equal(o.depth, parent.depth + 1);
}

static void do_whiteout(struct world *w)
{
	uint32_t name = pick(w, (enum pick)below(w, PICK_HELD)), dir = object_of(w, pick(w, PICK_DIR));
	uint32_t id = model_next_object(&w->model), moved, parent;
	struct nameref to = some_name(w, model_next_name(&w->model));
	int64_t time = (int64_t)w->op * 7;

	if (name == NAME_NONE || object_of(w, name) <= w->ref->anchors || to.number > 200 || id > 200 ||
	    ref_is_above(w->ref, object_of(w, name), dir))
		return;
	moved = object_of(w, name);
	parent = w->ref->name[name].parent;
	assert_int_equal(model_whiteout(&w->model, w->op, name, dir, to, id, time, time + 1000), id);
	w->ref->object[moved].changed = w->op;
	w->ref->object[id] =
		(struct ref_object){.type = OBJECT_WHITEOUT, .mtime = time, .born = w->op, .changed = w->op};
	ref_name_set(w->ref, to.number, moved, dir, to);
	w->ref->name[name].object = id;
	assert_int_equal(w->ref->name[name].parent, parent);
}

/* A file without a name: made so, or unlinked. */
static void do_hold(struct world *w)
{
	struct model_create c = {
		.type = OBJECT_FILE,
		.parent = OBJECT_HELD,
		.home = OBJECT_FIRST_SHARED,
		.linkable = below(w, 2),
		.name = some_name(w, model_next_name(&w->model)),
		.mode = (uint16_t)below(w, 010000),
		.time_min = (int64_t)w->op * 7,
		.time_max = (int64_t)w->op * 7 + 1000,
	};
	uint32_t name = pick(w, PICK_FILE), id = model_next_object(&w->model);
	struct object o = {0};

	if (model_pick_count(&w->model, PICK_HELD) > 10)
		return;
	if (below(w, 2)) {
		assert_int_equal(model_create(&w->model, w->op, &c), id);
		w->ref->object[id] = (struct ref_object){.type = OBJECT_FILE,
							 .mode = c.mode,
							 .mtime = c.time_min,
							 .born = w->op,
							 .changed = w->op};
		ref_name_set(w->ref, c.name.number, id, OBJECT_HELD, c.name);
		assert_true(view_object(&w->model.head, id, &o));
		assert_int_equal(o.flags, OBJECT_REALM | (c.linkable ? OBJECT_LINKABLE : 0));
	} else if (name != NAME_NONE && ref_links(w->ref, object_of(w, name)) == 1) {
		model_orphan(&w->model, w->op, name);
		w->ref->name[name].parent = OBJECT_HELD;
		w->ref->object[object_of(w, name)].changed = w->op;
	}
}

/* It gets a name, or is let go. */
static void do_let_go(struct world *w)
{
	uint32_t name = pick(w, PICK_HELD), dir = object_of(w, pick(w, PICK_DIR));
	struct nameref to;
	struct object o = {0};

	if (name == NAME_NONE)
		return;
	if (below(w, 2)) {
		model_unlink(&w->model, w->op, name);
		ref_unlink(w->ref, w->op, name);
		return;
	}
	to = some_name(w, name);
	model_link_held(&w->model, w->op, name, dir, to);
	ref_name_set(w->ref, name, object_of(w, name), dir, to);
	w->ref->object[object_of(w, name)].changed = w->op;
	assert_true(view_object(&w->model.head, object_of(w, name), &o));
	assert_int_equal(o.flags & OBJECT_LINKABLE, 0);
}

static void do_write(struct world *w)
{
	uint32_t name = pick(w, below(w, 8) ? PICK_FILE : PICK_HELD);
	struct content_key key = {.run = RUN, .origin = {.worker = WORKER, .operation = w->op}};
	uint64_t size, offset;
	size_t len;

	if (name == NAME_NONE)
		return;
	key.object = object_of(w, name);
	size = w->ref->object[key.object].size;
	switch (below(w, 4)) {
	case 0:
		offset = size; /* append */
		break;
	case 1:
		offset = below(w, size + 50000); /* maybe beyond */
		break;
	case 2:
		offset = below(w, size / BLOCK_SIZE + 2) * BLOCK_SIZE;
		break;
	default:
		offset = below(w, size + 1);
	}
	offset = MIN(offset, REF_BYTES - 1);
	len = (size_t)stream_log(&w->random, 1, 128 * KiB);
	len = MIN(len, REF_BYTES - offset);
	content_fill(&key, offset, w->data, len);
	model_write(&w->model, w->op, key.object, offset, w->data, len);
	ref_write(w->ref, w->op, key.object, offset, w->data, len);
}

static void do_truncate(struct world *w)
{
	uint32_t name = pick(w, below(w, 8) ? PICK_FILE : PICK_HELD);
	uint64_t size;

	if (name == NAME_NONE)
		return;
	size = w->ref->object[object_of(w, name)].size;
	size = below(w, 4) ? below(w, size + 1) : below(w, REF_BYTES);
	model_truncate(&w->model, w->op, object_of(w, name), size);
	ref_truncate(w->ref, w->op, object_of(w, name), size);
}

static void do_zero(struct world *w)
{
	uint32_t name = pick(w, PICK_FILE);
	uint64_t offset, len;

	if (name == NAME_NONE)
		return;
	offset = below(w, w->ref->object[object_of(w, name)].size + 100);
	len = stream_log(&w->random, 1, 128 * KiB);
	if (below(w, 2)) {
		offset -= offset % BLOCK_SIZE;
		len = round_up_u64(len, BLOCK_SIZE);
	}
	model_zero(&w->model, w->op, object_of(w, name), offset, len);
	ref_zero(w->ref, w->op, object_of(w, name), offset, len);
}

static bool overlap(uint64_t a, uint64_t b, uint64_t len)
{
	return a < b + len && b < a + len;
}

/* Aligned or not, in one file or two, the source's end or its middle. */
static void do_clone(struct world *w)
{
	uint32_t name = pick(w, PICK_FILE), source = pick(w, PICK_FILE);
	uint64_t offset, from, len, size;

	if (name == NAME_NONE)
		return;
	size = w->ref->object[object_of(w, source)].size;
	offset = below(w, 4) ? below(w, w->ref->object[object_of(w, name)].size + 5000) : 0;
	from = below(w, size + 1);
	if (below(w, 2)) {
		offset -= offset % BLOCK_SIZE;
		from -= from % BLOCK_SIZE;
	}
	len = MIN((uint64_t)stream_log(&w->random, 1, 128 * KiB), size - from);
	if (below(w, 3) == 0)
		len = size - from;
	offset = MIN(offset, REF_BYTES - 1);
	len = MIN(len, REF_BYTES - offset);
	if (object_of(w, name) == object_of(w, source) && overlap(offset, from, len))
		return;
	model_clone(&w->model, w->op, object_of(w, name), offset, object_of(w, source), from, len);
	ref_clone(w->ref, w->op, object_of(w, name), offset, object_of(w, source), from, len);
}

static void do_xattr(struct world *w)
{
	uint32_t name = pick(w, below(w, 8) ? (enum pick)below(w, 2) : PICK_HELD);
	uint32_t number = (uint32_t)below(w, REF_XATTRS);
	uint32_t length = below(w, 3) ? (uint32_t)below(w, 1000) : UINT32_MAX;
	struct ref_object *o;

	if (name == NAME_NONE)
		return;
	o = &w->ref->object[object_of(w, name)];
	model_set_xattr(&w->model, w->op, object_of(w, name), number, length);
	o->xattr_op[number] = length == UINT32_MAX ? 0 : w->op;
	o->xattr_len[number] = length;
	o->changed = w->op;
}

static void do_attributes(struct world *w)
{
	uint32_t name = pick(w, (enum pick)below(w, PICKS));
	uint32_t id;
	struct ref_object *o;

	if (name == NAME_NONE || object_of(w, name) <= w->ref->anchors)
		return;
	id = object_of(w, name);
	o = &w->ref->object[id];
	o->mode = (uint16_t)below(w, 010000);
	o->uid = (uint32_t)below(w, 1000);
	o->gid = (uint32_t)below(w, 1000);
	o->mtime = (int64_t)w->op * -3;
	o->changed = o->synced = w->op;
	model_set_mode(&w->model, w->op, id, o->mode);
	model_set_owner(&w->model, w->op, id, o->uid, o->gid);
	model_set_mtime(&w->model, w->op, id, o->mtime, o->mtime + 1000);
	model_set_synced(&w->model, w->op, id);
}

static void do_freeze_or_release(struct world *w)
{
	uint64_t i = below(w, VIEWS);

	if (!w->view[i].frozen) {
		w->view[i].frozen = model_freeze(&w->model);
		assert_non_null(w->view[i].frozen);
		w->view[i].ref = ref_copy(w->ref);
		return;
	}
	ref_compare(w->view[i].ref, &w->view[i].frozen->view);
	model_release(w->view[i].frozen);
	ref_free(w->view[i].ref);
	w->view[i].frozen = NULL;
	if (below(w, 2))
		model_reap(&w->model);
}

static void world_step(struct world *w)
{
	static void (*const ops[])(struct world *) = {
		do_create,   do_create, do_create,   do_link,     do_unlink, do_rmdir,      do_rename,
		do_rename,   do_write,  do_write,    do_write,    do_write,  do_write,      do_write,
		do_truncate, do_xattr,  do_xattr,    do_truncate, do_unlink, do_attributes, do_zero,
		do_clone,    do_clone,  do_exchange, do_hold,     do_let_go, do_whiteout,
	};

	w->op++;
	if (w->op % 97 == 0)
		do_freeze_or_release(w);
	else
		ops[below(w, ARRAY_SIZE(ops))](w);
	assert_int_equal(w->model.head.operations <= w->op, 1);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void check_file(struct world *w)
{
	struct frozen *f = model_freeze(&w->model);
	struct model loaded;
	struct error e;
	int fd = memfd_create("model", MFD_CLOEXEC);
	struct page_pool *pool = pool_map();

	assert_int_equal(model_save(&f->view, fd, &e), 0);
	model_release(f);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(model_load(&loaded, pool, fd, &e), 0);
	ref_compare(w->ref, &loaded.head);
	assert_int_equal(loaded.head.operations, w->model.head.operations);
	/* It goes on as the original would. */
	assert_int_equal(model_next_name(&loaded), model_next_name(&w->model));
	assert_int_equal(model_next_object(&loaded), model_next_object(&w->model));
	model_destroy(&loaded);
	munmap(pool, POOL_BYTES);
	close(fd);
}

static uint32_t live_pages(const struct model_view *v)
{
	uint32_t pages = v->objects.pages + v->names.pages + v->xattrs.pages + v->fragments.pages;

	for (int i = 0; i < PICKS; i++)
		pages += v->picks[i].pages;
	for (int i = 0; i < BLOCK_CLASSES; i++)
		pages += v->blocks[i].pages;
	return pages;
}

static void release_all(struct world *w)
{
	for (unsigned int i = 0; i < VIEWS; i++) {
		if (!w->view[i].frozen)
			continue;
		ref_compare(w->view[i].ref, &w->view[i].frozen->view);
		model_release(w->view[i].frozen);
		ref_free(w->view[i].ref);
	}
	model_reap(&w->model);
	assert_int_equal(w->model.owner.dead, 0);
	assert_int_equal(w->model.owner.used, live_pages(&w->model.head));
}

static void remove_all(struct world *w)
{
	uint32_t name;

	while ((name = pick(w, PICK_FILE)) != NAME_NONE || (name = pick(w, PICK_SYMLINK)) != NAME_NONE ||
	       (name = pick(w, PICK_WHITEOUT)) != NAME_NONE || (name = pick(w, PICK_HELD)) != NAME_NONE) {
		model_unlink(&w->model, ++w->op, name);
		ref_unlink(w->ref, w->op, name);
	}
	while (model_pick_count(&w->model, PICK_DIR) > w->ref->anchors)
		do_rmdir(w);
	for (uint32_t i = 1; i <= w->ref->anchors; i++) {
		for (uint32_t x = 0; x < REF_XATTRS; x++) {
			model_set_xattr(&w->model, w->op, i, x, UINT32_MAX);
			w->ref->object[i].xattr_op[x] = 0;
		}
	}
}

static void check_history(uint64_t seed, unsigned int steps)
{
	struct world *w = world_make(seed);

	for (unsigned int i = 0; i < steps; i++) {
		world_step(w);
		if (i % 250 == 0)
			ref_compare(w->ref, &w->model.head);
		if (i % 2000 == 1999)
			check_file(w);
	}
	ref_compare(w->ref, &w->model.head);
	release_all(w);
	remove_all(w);
	ref_compare(w->ref, &w->model.head);
	assert_int_equal(w->model.head.xattrs.live, 0);
	assert_int_equal(w->model.head.bytes, 0);
	for (int i = 0; i < BLOCK_CLASSES; i++)
		assert_int_equal(w->model.head.blocks[i].live, 0);
	assert_false(w->model.owner.corrupted);
	assert_int_equal(w->pool->corrupted, 0);
	world_free(w);
}

static void test_random_histories(void **state)
{
	for (uint64_t seed = 1; seed <= 6; seed++)
		check_history(seed, 6000);
}

/* Verifiers in threads of their own read frozen views while the owner goes on. */
struct reader {
	struct frozen *frozen;
	struct reference *ref;
	pthread_t thread;
};

static void *read_view(void *arg)
{
	struct reader *r = arg;
	uint64_t sum = 0;
	struct object o;

	for (uint32_t id = 1; id < r->frozen->view.objects.count; id++) {
		struct block_entry entries[64];

		if (!view_object(&r->frozen->view, id, &o) || o.type != OBJECT_FILE)
			continue;
		for (uint64_t first = 0; first < o.mapped; first += 64) {
			size_t got = view_blocks(&r->frozen->view, &o, first, 64, entries);

			for (size_t i = 0; i < got; i++)
				sum += entries[i].hash;
		}
	}
	model_release(r->frozen);
	return (void *)(uintptr_t)sum; /* NOLINT(performance-no-int-to-ptr) */
}

static void test_readers_beside_the_owner(void **state)
{
	struct world *w = world_make(99);

	for (unsigned int round = 0; round < 20; round++) {
		struct reader r[2] = {{.frozen = model_freeze(&w->model)}};

		assert_non_null(r[0].frozen);
		model_pin(r[0].frozen);
		r[1].frozen = r[0].frozen;
		for (int i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&r[i].thread, NULL, read_view, &r[i]), 0);
		for (unsigned int i = 0; i < 90; i++) {
			world_step(w);
			model_reap(&w->model);
		}
		for (int i = 0; i < 2; i++)
			pthread_join(r[i].thread, NULL);
	}
	release_all(w);
	ref_compare(w->ref, &w->model.head);
	assert_int_equal(w->pool->corrupted, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_histories),
		cmocka_unit_test(test_readers_beside_the_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
