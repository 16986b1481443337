/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single cases of the model: merging fragments, renames among links, damage in memory and in files. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/model/model.h"
#include "tests/unit/unit.h"

#define POOL_BYTES (16 * MiB)
#define RUN        3U
#define WORKER     2U

struct fixture {
	struct model m;
	struct page_pool *pool;
};

static void fixture_make(struct fixture *f)
{
	struct error e;
	void *p = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	f->pool = page_pool_init(p, POOL_BYTES);
	assert_int_equal(model_init(&f->m, f->pool, WORKER, RUN, 2, &e), 0);
}

static void fixture_gone(struct fixture *f)
{
	model_destroy(&f->m);
	munmap(f->pool, POOL_BYTES);
}

static uint32_t create(struct model *m, uint64_t op, enum object_type type, uint32_t parent)
{
	struct model_create c = {
		.type = type,
		.parent = parent,
		.name = nameref_make(model_next_name(m), 9, (uint32_t)op),
		.mode = 0600,
	};

	return model_create(m, op, &c);
}

static void write_at(struct model *m, uint64_t op, uint32_t id, uint64_t offset, size_t len)
{
	static unsigned char data[64 * KiB];
	struct content_key key = {.run = RUN, .origin = {.worker = WORKER, .operation = op}, .object = id};

	content_fill(&key, offset, data, len);
	model_write(m, op, id, offset, data, len);
}

static size_t fragments(struct model *m, uint32_t id, uint64_t block, struct fragment out[8])
{
	struct block_entry b;
	struct object o;

	assert_true(view_object(&m->head, id, &o));
	assert_int_equal(view_blocks(&m->head, &o, block, 1, &b), 1);
	return view_fragments(&m->head, id, &b, out, 8);
}

/* ---- fragments --------------------------------------------------------------------------- */

static void test_neighbours_of_one_write_merge(void **state)
{
	struct fragment f[8];
	struct fixture x;
	uint32_t id;

	fixture_make(&x);
	id = create(&x.m, 1, OBJECT_FILE, OBJECT_ROOT);
	write_at(&x.m, 2, id, 1000, 100);
	write_at(&x.m, 2, id, 1200, 100);
	assert_int_equal(fragments(&x.m, id, 0, f), 2);
	write_at(&x.m, 2, id, 1100, 100); /* closes the gap on both sides */
	assert_int_equal(fragments(&x.m, id, 0, f), 1);
	assert_int_equal(f[0].start, 1000);
	assert_int_equal(f[0].length, 300);
	write_at(&x.m, 3, id, 1300, 100); /* another operation's */
	assert_int_equal(fragments(&x.m, id, 0, f), 2);
	write_at(&x.m, 4, id, 1050, 10); /* within the first */
	assert_int_equal(fragments(&x.m, id, 0, f), 4);
	assert_int_equal(x.m.head.fragments.live, 4);
	write_at(&x.m, 5, id, 0, 1400); /* from the start to the end of data */
	assert_int_equal(fragments(&x.m, id, 0, f), 1);
	assert_int_equal(f[0].origin.operation, 5);
	assert_int_equal(x.m.head.fragments.live, 0);
	fixture_gone(&x);
}

static void test_every_byte_its_own_write(void **state)
{
	static struct fragment list[FRAGMENTS_MAX];
	struct block_entry b;
	struct fixture x;
	struct object o;
	uint32_t id;

	fixture_make(&x);
	id = create(&x.m, 1, OBJECT_FILE, OBJECT_ROOT);
	for (uint32_t i = 0; i < BLOCK_SIZE; i++)
		write_at(&x.m, 2 + i, id, i * 7 % BLOCK_SIZE, 1);
	assert_true(view_object(&x.m.head, id, &o));
	assert_int_equal(view_blocks(&x.m.head, &o, 0, 1, &b), 1);
	assert_int_equal(view_fragments(&x.m.head, id, &b, list, FRAGMENTS_MAX), BLOCK_SIZE);
	for (uint32_t i = 0; i < BLOCK_SIZE; i++)
		assert_int_equal(list[i].start, i);
	model_truncate(&x.m, 9999, id, 0);
	assert_int_equal(x.m.head.fragments.live, 0);
	fixture_gone(&x);
}

/* ---- names ------------------------------------------------------------------------------- */

static void test_rename_onto_another_link_changes_nothing(void **state)
{
	struct name first, second = {0};
	struct fixture x;
	uint32_t id, a, b;
	struct object o;

	fixture_make(&x);
	a = model_next_name(&x.m);
	id = create(&x.m, 1, OBJECT_FILE, OBJECT_ROOT);
	b = model_next_name(&x.m);
	model_link(&x.m, 2, id, OBJECT_ROOT, nameref_make(b, 5, 5));
	model_rename(&x.m, 3, a, OBJECT_ROOT, nameref_make(b, 5, 5), b);
	assert_true(view_name(&x.m.head, a, &first) && view_name(&x.m.head, b, &second));
	assert_int_equal(first.object, id);
	assert_int_equal(second.object, id);
	assert_true(view_object(&x.m.head, id, &o));
	assert_int_equal(o.links, 2);
	assert_int_equal(o.changed, 2);
	fixture_gone(&x);
}

static void test_anchors(void **state)
{
	char path[64], bytes[256];
	struct fixture x;
	uint32_t id;
	struct object o;
	struct name n;

	fixture_make(&x);
	assert_int_equal(model_pick_count(&x.m, PICK_DIR), 3);
	assert_int_equal(model_pick(&x.m, PICK_FILE, 77), NAME_NONE);
	assert_true(view_object(&x.m.head, OBJECT_ROOT, &o));
	assert_int_equal(o.flags, OBJECT_ANCHOR);
	assert_int_equal(view_path(&x.m.head, o.first_name, path, sizeof(path)), 5);
	assert_string_equal(path, "w0002");
	assert_true(view_object(&x.m.head, OBJECT_FIRST_SHARED + 1, &o));
	assert_int_equal(o.flags, OBJECT_ANCHOR | OBJECT_SHARED | OBJECT_REALM);
	assert_true(view_name(&x.m.head, o.first_name, &n));
	assert_int_equal(view_name_bytes(&x.m.head, &n, o.first_name, bytes), 10);
	assert_string_equal(bytes, "shared/d01");
	assert_int_equal(anchor_path(12, OBJECT_FIRST_SHARED + 63, path, sizeof(path)), 10);
	assert_string_equal(path, "shared/d63");
	id = model_next_object(&x.m);
	assert_int_equal(create(&x.m, 1, OBJECT_DIR, OBJECT_FIRST_SHARED), id);
	assert_true(view_object(&x.m.head, id, &o));
	assert_int_equal(o.flags, OBJECT_REALM);
	fixture_gone(&x);
}

/* Shared files have ids of their own, behind those of all possible shared directories. */
static void test_shared_files(void **state)
{
	unsigned char data[100];
	struct model second;
	struct fixture x;
	struct object o;
	struct error e;
	char path[64];
	uint32_t id;
	int fd;

	fixture_make(&x);
	assert_true(model_add_shared_file(&x.m, MiB));
	assert_true(model_add_shared_file(&x.m, 2 * MiB));
	assert_int_equal(x.m.head.shared_files, 2);
	assert_int_equal(x.m.head.bytes, 0);
	assert_int_equal(model_pick(&x.m, PICK_FILE, 77), NAME_NONE);
	id = model_next_object(&x.m);
	assert_int_equal(id, OBJECT_FIRST_SHARED + 2);
	assert_int_equal(create(&x.m, 1, OBJECT_FILE, OBJECT_ROOT), id);
	assert_false(view_is_shared_file(&x.m.head, id));
	assert_true(view_is_shared_file(&x.m.head, OBJECT_FIRST_SHARED_FILE + 1));
	content_fill(&(struct content_key){RUN, {WORKER, 2}, OBJECT_FIRST_SHARED_FILE + 1}, 5000, data, 100);
	model_write(&x.m, 2, OBJECT_FIRST_SHARED_FILE + 1, 5000, data, 100);

	fd = memfd_create("model", 0);
	assert_int_equal(model_save(&x.m.head, fd, &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(model_load(&second, x.pool, fd, &e), 0);
	close(fd);
	assert_int_equal(second.head.shared_files, 2);
	assert_true(view_object(&second.head, OBJECT_FIRST_SHARED_FILE + 1, &o));
	assert_int_equal(o.size, 2 * MiB);
	assert_int_equal(o.flags, OBJECT_ANCHOR | OBJECT_SHARED | OBJECT_REALM);
	assert_int_equal(view_path(&second.head, o.first_name, path, sizeof(path)), 10);
	assert_string_equal(path, "shared/f01");
	model_destroy(&second);

	fixture_gone(&x);
}

static uint32_t create_subvolume(struct model *m, uint64_t op, uint32_t parent)
{
	const struct model_create c = {
		.type = OBJECT_DIR,
		.subvolume = true,
		.parent = parent,
		.name = nameref_make(model_next_name(m), 9, (uint32_t)op),
	};

	return model_create(m, op, &c);
}

static uint8_t flags_of(const struct model *m, uint32_t id)
{
	struct object o;

	assert_true(view_object(&m->head, id, &o));
	return o.flags;
}

static uint32_t name_of(const struct model *m, uint32_t id)
{
	struct object o;

	assert_true(view_object(&m->head, id, &o));
	return o.first_name;
}

/* What is in a subvolume is nested for good; the subvolume itself where it lies. */
static void test_subvolumes_and_what_is_in_them(void **state)
{
	struct nameref ref = nameref_make(0, 5, 7);
	uint32_t sub, dir, file, other;
	struct fixture x;
	struct object o;

	fixture_make(&x);
	sub = create_subvolume(&x.m, 1, OBJECT_ROOT);
	dir = create(&x.m, 2, OBJECT_DIR, sub);
	file = create(&x.m, 3, OBJECT_FILE, dir);
	write_at(&x.m, 4, file, 0, 5000);
	ref.number = model_next_name(&x.m);
	model_link(&x.m, 5, file, sub, ref);
	other = create_subvolume(&x.m, 6, OBJECT_FIRST_SHARED);
	assert_int_equal(flags_of(&x.m, sub), OBJECT_SUBVOLUME);
	assert_int_equal(flags_of(&x.m, dir), OBJECT_NESTED);
	assert_int_equal(flags_of(&x.m, file), OBJECT_NESTED);
	assert_int_equal(flags_of(&x.m, other), OBJECT_SUBVOLUME | OBJECT_REALM);
	assert_true(view_object(&x.m.head, sub, &o) && scope_has(SCOPE_PRIVATE, &o) &&
		    !scope_has(SCOPE_SHARED, &o));
	assert_true(view_object(&x.m.head, file, &o) && !scope_has(SCOPE_PRIVATE, &o) &&
		    scope_has(SCOPE_ALL, &o));

	ref.number = name_of(&x.m, other);
	model_rename(&x.m, 7, ref.number, dir, ref, NAME_NONE);
	assert_int_equal(flags_of(&x.m, other), OBJECT_SUBVOLUME | OBJECT_NESTED);
	model_rename(&x.m, 8, ref.number, OBJECT_ROOT, ref, NAME_NONE);
	assert_int_equal(flags_of(&x.m, other), OBJECT_SUBVOLUME);

	assert_int_equal(model_unlink_subvolume(&x.m, 9, name_of(&x.m, sub)), 0);
	assert_false(view_object(&x.m.head, sub, &o) || view_object(&x.m.head, dir, &o) ||
		     view_object(&x.m.head, file, &o));
	assert_int_equal(x.m.head.bytes, 0);
	assert_int_equal(model_pick_count(&x.m, PICK_FILE), 0);
	assert_int_equal(model_pick_count(&x.m, PICK_DIR), 4);
	assert_true(view_object(&x.m.head, OBJECT_ROOT, &o));
	assert_int_equal(o.children, 1);
	fixture_gone(&x);
}

static void test_unsure_until_emptied(void **state)
{
	struct fixture x;
	struct object o;
	uint32_t id;

	fixture_make(&x);
	id = create(&x.m, 1, OBJECT_FILE, OBJECT_ROOT);
	write_at(&x.m, 2, id, 0, 10);
	model_set_unsure(&x.m, 3, id);
	model_truncate(&x.m, 4, id, 5);
	assert_true(view_object(&x.m.head, id, &o));
	assert_int_equal(o.flags, OBJECT_UNSURE);
	model_truncate(&x.m, 5, id, 0);
	assert_true(view_object(&x.m.head, id, &o));
	assert_int_equal(o.flags, 0);
	fixture_gone(&x);
}

static void test_what_is_not_there_changes_nothing(void **state)
{
	struct model_view before;
	struct fixture x;

	fixture_make(&x);
	before = x.m.head;
	model_unlink(&x.m, 0, 500);
	model_unlink(&x.m, 0, NAME_NONE);
	model_write(&x.m, 0, 400, 0, "x", 1);
	model_truncate(&x.m, 0, OBJECT_ROOT, 1);
	model_set_mode(&x.m, 0, 77, 0);
	model_set_xattr(&x.m, 0, 77, 1, 1);
	model_rename(&x.m, 0, 99, OBJECT_ROOT, nameref_make(99, 1, 1), NAME_NONE);
	assert_memory_equal(&before, &x.m.head, sizeof(before));
	fixture_gone(&x);
}

/* ---- damage in memory -------------------------------------------------------------------- */

static void test_damaged_pages_are_not_read(void **state)
{
	struct frozen *f;
	struct fixture x;
	struct object o;
	struct block_entry b[2];
	struct name n;
	uint32_t id;

	fixture_make(&x);
	id = create(&x.m, 1, OBJECT_FILE, OBJECT_ROOT);
	write_at(&x.m, 2, id, 0, 8192);
	f = model_freeze(&x.m);
	assert_true(view_object(&f->view, id, &o));
	assert_int_equal(view_blocks(&f->view, &o, 0, 2, b), 2);
	((unsigned char *)(uintptr_t)array_at(x.pool, &f->view.names, 0))[500] ^= 1;
	assert_false(view_name(&f->view, o.first_name, &n));
	assert_int_equal(x.pool->corrupted, 1);
	((unsigned char *)(uintptr_t)array_at(x.pool, &f->view.blocks[1], 0))[900] ^= 1;
	assert_int_equal(view_blocks(&f->view, &o, 0, 2, b), 0);
	((unsigned char *)(uintptr_t)array_at(x.pool, &f->view.objects, 0))[3] ^= 1;
	assert_false(view_object(&f->view, id, &o));
	model_set_mode(&x.m, 3, id, 0);
	assert_true(x.m.owner.corrupted);
	assert_true(view_intact(&f->view));
	f->view.bytes++;
	assert_false(view_intact(&f->view));
	model_release(f);
	fixture_gone(&x);
}

static void test_pool_too_small(void **state)
{
	static _Alignas(4096) unsigned char memory[64 * KiB];
	struct page_pool *pool = page_pool_init(memory, sizeof(memory));
	struct model m, second;
	struct error e;

	assert_int_equal(model_init(&m, pool, WORKER, RUN, 2, &e), 0);
	for (uint64_t op = 1; op < 2000; op++) {
		uint32_t id = create(&m, op, OBJECT_FILE, OBJECT_ROOT);

		if (id != OBJECT_NONE)
			write_at(&m, op, id, 7, 5000);
	}
	assert_true(m.owner.exhausted);
	assert_false(m.owner.corrupted);
	assert_int_equal(model_init(&second, pool, WORKER, RUN, 2, &e), -1);
	assert_non_null(strstr(e.text, "too small"));
	model_destroy(&m);
}

/* ---- damage in files --------------------------------------------------------------------- */

static int save(const struct model *m)
{
	int fd = memfd_create("model", MFD_CLOEXEC);
	struct error e;

	assert_true(fd >= 0);
	assert_int_equal(model_save(&m->head, fd, &e), 0);
	return fd;
}

static int load(int fd, struct error *e)
{
	struct fixture x;
	int answer;

	fixture_make(&x);
	model_destroy(&x.m);
	lseek(fd, 0, SEEK_SET);
	answer = model_load(&x.m, x.pool, fd, e);
	if (answer == 0)
		model_destroy(&x.m);
	munmap(x.pool, POOL_BYTES);
	return answer;
}

static void test_damaged_file_is_refused(void **state)
{
	struct fixture x;
	struct error e;
	off_t length;
	int fd;

	fixture_make(&x);
	for (uint64_t op = 1; op < 40; op++)
		write_at(&x.m, op, create(&x.m, op, OBJECT_FILE, OBJECT_ROOT), op, op * 300);
	fd = save(&x.m);
	assert_int_equal(load(fd, &e), 0);
	length = lseek(fd, 0, SEEK_END);
	for (off_t at = 0; at < length; at += 1 + at / 90) {
		unsigned char byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x20;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		e.text[0] = '\0';
		assert_int_equal(load(fd, &e), -1);
		assert_non_null(strstr(e.text, "model file"));
		byte ^= 0x20;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_int_equal(load(fd, &e), 0);
	for (off_t cut = length - 1; cut >= 0; cut -= 1 + cut / 20) {
		assert_int_equal(ftruncate(fd, cut), 0);
		assert_int_equal(load(fd, &e), -1);
		assert_non_null(strstr(e.text, "the model file is cut off after"));
	}
	close(fd);
	fixture_gone(&x);
}

static void test_model_that_is_damaged_is_not_saved(void **state)
{
	struct fixture x;
	struct error e;
	int fd = memfd_create("model", MFD_CLOEXEC);

	fixture_make(&x);
	((unsigned char *)(uintptr_t)array_at(x.pool, &x.m.head.objects, 1))[0] ^= 1;
	assert_int_equal(model_save(&x.m.head, fd, &e), -1);
	assert_non_null(strstr(e.text, "damaged in memory"));
	close(fd);
	fixture_gone(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbours_of_one_write_merge),
		cmocka_unit_test(test_every_byte_its_own_write),
		cmocka_unit_test(test_rename_onto_another_link_changes_nothing),
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_shared_files),
		cmocka_unit_test(test_unsure_until_emptied),
		cmocka_unit_test(test_subvolumes_and_what_is_in_them),
		cmocka_unit_test(test_what_is_not_there_changes_nothing),
		cmocka_unit_test(test_damaged_pages_are_not_read),
		cmocka_unit_test(test_pool_too_small),
		cmocka_unit_test(test_damaged_file_is_refused),
		cmocka_unit_test(test_model_that_is_damaged_is_not_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
