/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/model/stripes.h"
#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

const struct model_view *head(const struct world *w, unsigned int worker)
{
	return &w->model[worker].head;
}

uint64_t bytes_of_all(const struct world *w)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < WORKERS; i++)
		bytes += head(w, i)->bytes;
	for (uint32_t k = 0; k < SHARED_FILES; k++)
		bytes += stripes_size(k);
	return bytes;
}

struct object object_of(const struct world *w, unsigned int worker, uint32_t object)
{
	struct object o;

	assert_true(view_object(head(w, worker), object, &o));
	return o;
}

const char *path_of(const struct world *w, unsigned int worker, uint32_t object)
{
	static char buf[4][4096];
	static unsigned int next;
	char *path = buf[next++ % 4];

	assert_true(view_path(head(w, worker), object_of(w, worker, object).first_name, path, 4096) > 0);
	return path;
}

static void name_path(const struct world *w, unsigned int worker, uint32_t parent, struct nameref ref,
		      char *out)
{
	char name[256];

	content_name(ref, worker, parent != OBJECT_ROOT && parent < OBJECT_FIRST_SHARED + SHARED_DIRS, name);
	snprintf(out, 4096 + 257, "%s/%s", path_of(w, worker, parent), name);
}

uint32_t make(struct world *w, unsigned int worker, enum object_type type, uint32_t parent,
	      unsigned int name_length, uint64_t target_size)
{
	struct model *m = &w->model[worker];
	uint64_t op = ++w->op[worker];
	struct nameref ref = nameref_make(model_next_name(m), name_length, (uint32_t)op * 77);
	uint32_t object = model_next_object(m);
	char path[4096 + 257], target[4096];

	name_path(w, worker, parent, ref, path);
	if (type == OBJECT_DIR) {
		assert_int_equal(mkdirat(w->mount, path, 0755), 0);
	} else if (type == OBJECT_SYMLINK) {
		content_symlink(&(struct content_key){RUN, {worker, op}, object}, target, target_size);
		assert_int_equal(symlinkat(target, w->mount, path), 0);
	} else {
		int fd = openat(w->mount, path, O_CREAT | O_EXCL | O_WRONLY, 0644);

		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(model_create(m, op,
				      &(struct model_create){.type = type,
							     .parent = parent,
							     .name = ref,
							     .mode = type == OBJECT_DIR ? 0755 : 0644,
							     .size = target_size}),
			 object);
	return object;
}

void write_file(struct world *w, unsigned int worker, uint32_t object, uint64_t offset, size_t len)
{
	uint64_t op = ++w->op[worker];
	unsigned char *data = malloc(len);

	content_fill(&(struct content_key){RUN, {worker, op}, object}, offset, data, len);
	put(w, path_of(w, worker, object), offset, data, len);
	model_write(&w->model[worker], op, object, offset, data, len);
	free(data);
}

uint32_t make_file(struct world *w, unsigned int worker, uint32_t parent, unsigned int name_length,
		   size_t size)
{
	uint32_t object = make(w, worker, OBJECT_FILE, parent, name_length, 0);

	if (size)
		write_file(w, worker, object, 0, size);
	return object;
}

void truncate_file(struct world *w, unsigned int worker, uint32_t object, uint64_t size)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", w->mnt, path_of(w, worker, object));
	assert_int_equal(truncate(path, (off_t)size), 0);
	model_truncate(&w->model[worker], ++w->op[worker], object, size);
}

void link_file(struct world *w, unsigned int worker, uint32_t object, uint32_t parent)
{
	struct nameref ref = nameref_make(model_next_name(&w->model[worker]), 20, 5);
	char path[4096 + 257];

	name_path(w, worker, parent, ref, path);
	assert_int_equal(linkat(w->mount, path_of(w, worker, object), w->mount, path, 0), 0);
	model_link(&w->model[worker], ++w->op[worker], object, parent, ref);
}

void full_path(const struct world *w, const char *path, char out[4200])
{
	snprintf(out, 4200, "%s/%s", w->mnt, path);
}

void set_xattr(struct world *w, unsigned int worker, uint32_t object, uint32_t number, uint32_t length)
{
	uint64_t op = ++w->op[worker];
	unsigned char value[4096];
	char path[4200], name[32];

	full_path(w, path_of(w, worker, object), path);
	snprintf(name, sizeof(name), "user.recow.%u", number);
	content_xattr(&(struct content_key){RUN, {worker, op}, object}, number, value, length);
	assert_int_equal(setxattr(path, name, value, length, 0), 0);
	model_set_xattr(&w->model[worker], op, object, number, length);
}

static int64_t mtime_of(const struct world *w, const char *path)
{
	struct stat st = stat_of(w, path);

	return (int64_t)st.st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st.st_mtim.tv_nsec;
}

void learn_times(struct world *w)
{
	for (unsigned int i = 0; i < WORKERS; i++) {
		for (uint32_t k = 1; k < head(w, i)->objects.count; k++) {
			struct object o;
			int64_t t;

			if (!view_object(head(w, i), k, &o) || (o.flags & OBJECT_ANCHOR))
				continue;
			t = mtime_of(w, path_of(w, i, k));
			model_set_mtime(&w->model[i], w->op[i], k, t - 5, t + 5);
		}
	}
}
