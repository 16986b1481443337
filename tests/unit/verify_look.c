/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/plugins.h"
#include "tests/unit/unit.h"
#include "tests/unit/verify_world.h"

struct stat stat_of(const struct world *w, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(w->mount, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

void put(const struct world *w, const char *path, uint64_t offset, const void *data, size_t len)
{
	int fd = openat(w->mount, path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, (off_t)offset), len);
	close(fd);
}

void collect(void *self, const struct finding *f)
{
	struct world *w = self;

	pthread_mutex_lock(&w->lock);
	assert_true(w->count < FOUND_MAX);
	if (!w->found[w->count])
		w->found[w->count] = malloc(sizeof(*f));
	*w->found[w->count++] = *f;
	pthread_mutex_unlock(&w->lock);
}

static int held_fd(const struct verification *v, size_t view, uint32_t object)
{
	const struct world *w = v->holder;

	return view == 0 && object == w->held ? w->held_fd : -1;
}

void run(struct world *w, const char *name)
{
	struct frozen *frozen[WORKERS];
	const struct model_view *view[WORKERS];
	struct finding_sink sink = {collect, w};
	struct verification v = {
		.target = &w->target,
		.mount = w->mount,
		.run = RUN,
		.views = view,
		.view_count = WORKERS,
		.threads = 4,
		.findings = &sink,
		.counters = &w->counters,
		.held = w->held ? held_fd : NULL,
		.holder = w,
	};
	const struct verifier *verifier = NULL;
	struct error e = {0};

	for (unsigned int i = 0; plugin_verifiers[i]; i++) {
		if (strcmp(plugin_verifiers[i]->name, name) == 0)
			verifier = plugin_verifiers[i];
	}
	assert_non_null(verifier);
	memset(&w->counters, 0, sizeof(w->counters));
	w->count = 0;
	for (unsigned int i = 0; i < WORKERS; i++) {
		frozen[i] = model_freeze(&w->model[i]);
		view[i] = &frozen[i]->view;
	}
	if (verifier->run(&v, &e) != 0)
		fail_msg("%s: %s", name, e.text);
	for (unsigned int i = 0; i < WORKERS; i++)
		model_release(frozen[i]);
}

void show_all(const struct world *w)
{
	for (unsigned int i = 0; i < MIN(w->count, 8U); i++)
		print_message("  %s %s: %s\n", finding_class_name(w->found[i]->class), w->found[i]->path,
			      w->found[i]->detail);
}

const struct finding *only(const struct world *w, enum finding_class class, const char *path)
{
	char escaped[4096];

	if (w->count != 1 || w->found[0]->class != class)
		show_all(w);
	assert_int_equal(w->count, 1);
	assert_int_equal(w->found[0]->class, class);
	bytes_escape(escaped, sizeof(escaped), path, strlen(path));
	assert_string_equal(w->found[0]->path, escaped);
	return w->found[0];
}

void silent(struct world *w, const char *verifier)
{
	run(w, verifier);
	if (w->count)
		show_all(w);
	assert_int_equal(w->count, 0);
}

void restore_mtime(const struct world *w, const char *path, const struct stat *st)
{
	struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};

	assert_int_equal(utimensat(w->mount, path, t, AT_SYMLINK_NOFOLLOW), 0);
}

void plant(const struct world *w, const char *path, uint64_t offset, const void *data, size_t len)
{
	struct stat st = stat_of(w, path);

	put(w, path, offset, data, len);
	restore_mtime(w, path, &st);
}

void read_back(const struct world *w, const char *path, uint64_t offset, void *data, size_t len)
{
	int fd = openat(w->mount, path, O_RDONLY);

	assert_int_equal(pread(fd, data, len, (off_t)offset), len);
	close(fd);
}

void plant_and_find(struct world *w, uint32_t object, uint64_t offset, const void *data, size_t len,
		    enum finding_class class, uint64_t at, uint64_t length)
{
	const char *path = path_of(w, 0, object);
	unsigned char *kept = malloc(len);
	const struct finding *f;

	read_back(w, path, offset, kept, len);
	plant(w, path, offset, data, len);
	run(w, "hot");
	f = only(w, class, path);
	assert_int_equal(f->place, SEEN_HOT);
	assert_int_equal(f->offset, at);
	assert_int_equal(f->length, length);
	assert_true(f->still);
	assert_int_equal(f->worker, 0);
	assert_int_equal(f->object, object);
	run(w, "cold");
	f = only(w, class, path);
	assert_int_equal(f->place, SEEN_COLD);
	assert_int_equal(f->offset, at);
	assert_int_equal(f->length, length);
	assert_true(f->still);
	plant(w, path, offset, kept, len);
	free(kept);
}

void fill(uint32_t worker, uint64_t op, uint32_t object, uint64_t offset, void *buf, size_t len)
{
	content_fill(&(struct content_key){RUN, {worker, op}, object}, offset, buf, len);
}
