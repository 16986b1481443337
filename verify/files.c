/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/judge.h"
#include "verify/shared.h"

void files_start(struct files *f, struct check *c, uint64_t slice_bytes, int open_flags)
{
	memset(f, 0, sizeof(*f));
	f->check = c;
	f->slice = slice_bytes / BLOCK_SIZE;
	f->open_flags = open_flags;
	pthread_mutex_init(&f->lock, NULL);
}

static struct file *file_make(size_t view, const struct subject *s, const struct object *o)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->subject = *s;
	file->view = view;
	file->object = *o;
	file->blocks = o->mapped;
	file->fd = -1;
	file->refs = 1; /* the dealer's */
	pthread_mutex_init(&file->lock, NULL);
	return file;
}

static void file_free(struct files *f, struct file *file)
{
	if (f->done && file->fd >= 0)
		f->done(f, file);
	judge_file(f->check, file, f->open_flags);
	if (file->fd >= 0)
		close(file->fd);
	for (size_t i = 0; i < file->notes; i++)
		free(file->note[i].found);
	free(file->note);
	pthread_mutex_destroy(&file->lock);
	free(file);
}

/* Drop one reference. The last one's owner judges and frees, outside the lock. */
static void file_drop(struct files *f, struct file *file)
{
	bool last;

	pthread_mutex_lock(&f->lock);
	last = --file->refs == 0;
	pthread_mutex_unlock(&f->lock);
	if (last)
		file_free(f, file);
}

void files_put(struct files *f, struct slice *s)
{
	file_drop(f, s->file);
	s->file = NULL;
}

void files_end(struct files *f)
{
	if (f->current)
		file_drop(f, f->current);
	f->current = NULL;
	pthread_mutex_destroy(&f->lock);
}

/* Is there something to read in this object? A file that all workers share is read once. */
static bool wanted(struct files *f, uint32_t object, const struct object *o)
{
	const bool shared = shared_is(o);

	if (!scope_has(f->check->v->scope, o))
		return false;
	if (o->type != OBJECT_FILE || o->first_name == NAME_NONE || (shared && f->view))
		return false;
	if (object_is_held(o) && !f->check->v->held)
		return false;
	if (shared ? shared_unsure(f->check->v, object) : o->flags & OBJECT_UNSURE) {
		f->check->v->counters->unsure += o->mapped;
		return false;
	}
	return o->mapped > 0 || f->tell_presence;
}

/* The next file, under the dealer's lock. */
static struct file *next_file(struct files *f)
{
	const struct verification *v = f->check->v;

	for (; f->view < v->view_count; f->view++, f->next_object = 0) {
		const struct model_view *view = v->views[f->view];

		while (f->next_object < view->objects.count) {
			struct subject s = {view, f->next_object++, NAME_NONE};
			struct object o;

			if (!view_object(view, s.object, &o)) {
				if (!check_page(view, &view->objects, s.object))
					check_harness(f->check, &s, "object");
				continue;
			}
			s.name = o.first_name;
			if (wanted(f, s.object, &o))
				return file_make(f->view, &s, &o);
		}
	}
	return NULL;
}

bool files_next(struct files *f, struct slice *out)
{
	bool got;

	if (check_stopped(f->check))
		return false;
	pthread_mutex_lock(&f->lock);
	if (!f->current) {
		f->current = next_file(f);
		f->next_block = 0;
	}
	got = f->current;
	if (got) {
		uint64_t left = f->current->object.mapped - f->next_block;

		out->file = f->current;
		out->first = f->next_block;
		out->count = MIN(left, f->slice);
		f->next_block += out->count;
		if (f->next_block < f->current->object.mapped)
			f->current->refs++;
		else /* the dealer's reference goes with the last slice */
			f->current = NULL;
	}
	pthread_mutex_unlock(&f->lock);
	return got;
}

static void tell_open_error(struct files *f, struct file *file, int err)
{
	enum finding_class class = check_errno_class(err);

	if (class == FINDING_MISSING && !f->tell_presence)
		return;
	check_report(f->check, &file->subject, class, "open: %s", strerror(err));
}

/* Files may have become something else: never wait for the other end of a pipe. */
static int open_path(const struct files *f, struct file *file, const char *path)
{
	const char *place = check_place(f->check->v, path);
	int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | (object_is_held(&file->object) ? 0 : O_NOFOLLOW);
	int fd = openat(f->check->v->mount, place, flags | f->open_flags);

	if (fd < 0 && errno == EINVAL && f->open_flags) {
		fd = openat(f->check->v->mount, place, flags);
		file->cached = true;
	}
	return fd;
}

/* How much of it can be compared. The size itself is the names' affair unless nobody looks at names. */
static void look_at_size(struct files *f, struct file *file)
{
	struct attribute_seen seen;
	struct stat st;

	if (fstat(file->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (f->tell_presence)
			check_report(f->check, &file->subject, FINDING_ATTRIBUTE, "not a file");
		file->blocks = 0;
		return;
	}
	if ((uint64_t)st.st_size == file->object.size)
		return;
	seen = check_seen(&file->subject, ATTRIBUTE_SIZE, (uint64_t)st.st_size);
	if (f->tell_presence)
		check_report_attribute(f->check, &file->subject, &seen, "size: expected %llu, found %lld",
				       (unsigned long long)file->object.size, (long long)st.st_size);
	file->blocks = MIN(file->blocks, (uint64_t)st.st_size / BLOCK_SIZE);
}

/* The path by which it can be opened; false when the model or its worker doesn't know it. */
static bool path_to(const struct files *f, const struct file *file, char *path, size_t len)
{
	const struct verification *v = f->check->v;
	int fd;

	if (!object_is_held(&file->object))
		return view_path(file->subject.view, file->subject.name, path, len) >= 0;
	fd = v->held(v, file->view, file->subject.object);
	snprintf(path, len, "/proc/self/fd/%d", fd);
	return fd >= 0;
}

static void open_file(struct files *f, struct file *file)
{
	char path[4096];

	if (!path_to(f, file, path, sizeof(path))) {
		check_harness(f->check, &file->subject, "the path of object");
		return;
	}
	file->fd = open_path(f, file, path);
	if (file->fd < 0)
		tell_open_error(f, file, errno);
	else
		look_at_size(f, file);
	if (file->fd >= 0)
		file->unit = (uint32_t)target_unit(file->fd, BLOCK_SIZE);
	if (file->fd >= 0 && file->blocks && f->opened)
		f->opened(f, file);
}

bool files_open(struct files *f, struct slice *s)
{
	struct file *file = s->file;

	pthread_mutex_lock(&file->lock);
	if (!file->opened) {
		file->opened = true;
		open_file(f, file);
	}
	pthread_mutex_unlock(&file->lock);
	if (file->fd < 0 || s->first >= file->blocks)
		return false;
	s->count = MIN(s->count, file->blocks - s->first);
	return true;
}

static struct note *new_note(struct file *file)
{
	if (file->notes == NOTES_MAX)
		return NULL;
	if (file->notes == file->room) {
		size_t room = MAX(file->room * 2, 16U);
		struct note *grown = realloc(file->note, room * sizeof(*grown));

		if (!grown)
			return NULL;
		file->note = grown;
		file->room = room;
	}
	return &file->note[file->notes];
}

void file_note(struct file *file, uint64_t block, const struct block_entry *entry, const void *found, int err)
{
	unsigned char *copy = found ? malloc(BLOCK_SIZE) : NULL;
	struct note *note;

	pthread_mutex_lock(&file->lock);
	note = !found || copy ? new_note(file) : NULL;
	if (note) {
		*note = (struct note){.block = block, .err = err, .found = copy};
		if (entry)
			note->entry = *entry;
		if (copy)
			memcpy(copy, found, BLOCK_SIZE);
		file->notes++;
	} else {
		file->unnoted++;
		free(copy);
	}
	pthread_mutex_unlock(&file->lock);
}
