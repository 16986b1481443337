/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/window.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/ops/address.h"
#include "src/ops/guarded.h"
#include "src/ops/judge.h"

/* A window begins at a multiple of SPAN and has room for a range that begins in it. It may reach beyond the
 * end of the file: what lies there is never touched. */
#define SPAN   (4 * MiB)
#define LENGTH (SPAN + OP_BUFFER)

static void window_close(struct op_window *w)
{
	munmap(w->at, LENGTH);
	w->at = NULL;
}

void windows_close(struct op_ctx *c)
{
	for (unsigned int i = 0; i < OP_WINDOWS; i++) {
		if (c->window[i].at)
			window_close(&c->window[i]);
	}
}

void windows_settle(struct op_ctx *c)
{
	for (unsigned int i = 0; i < OP_WINDOWS; i++) {
		struct op_window *w = &c->window[i];
		struct object o;

		if (w->at && (!view_object(&c->model->head, w->object, &o) || o.type != OBJECT_FILE ||
			      o.born != w->born || o.size < w->reach))
			window_close(w);
	}
}

static struct op_window *find(struct op_ctx *c, uint32_t object, uint64_t born, uint64_t offset)
{
	for (unsigned int i = 0; i < OP_WINDOWS; i++) {
		struct op_window *w = &c->window[i];

		if (w->at && w->object == object && w->born == born && w->offset == offset - offset % SPAN)
			return w;
	}
	return NULL;
}

/* In the place of the oldest one. NULL: the mapping could not be made, errno. */
static struct op_window *map(struct op_ctx *c, int fd, const struct op_window *wanted)
{
	struct op_window *w = &c->window[c->next_window];
	void *at = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)wanted->offset);

	if (at == MAP_FAILED)
		return NULL;
	c->next_window = (c->next_window + 1) % OP_WINDOWS;
	if (w->at)
		window_close(w);
	*w = *wanted;
	w->at = at;
	return w;
}

/* Begins the answer, and ends it when there is no window. */
static struct op_window *window_open(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	struct op_window *w, wanted = {.offset = args->offset - args->offset % SPAN, .object = args->object};
	struct object o;
	int fd;

	windows_settle(c);
	if (view_object(&c->model->head, args->object, &o))
		wanted.born = o.born;
	w = find(c, args->object, wanted.born, args->offset);
	if (w) {
		answer_begin(a);
		return w;
	}
	fd = answer_open(c, args, O_RDWR, a);
	if (fd < 0)
		return NULL;
	w = map(c, fd, &wanted);
	if (!w)
		answer_end(a, -1);
	close(fd);
	return w;
}

/* A read names the error that a fault can't; a store on a filesystem that has turned read-only fails, too.
 * What is left is the full filesystem, which reads well. */
int window_fault(int fd, uint64_t offset, bool store)
{
	struct statvfs fs;
	char byte;

	if (pread(fd, &byte, 1, (off_t)offset) < 0)
		return errno;
	if (store && fstatvfs(fd, &fs) == 0 && fs.f_flag & ST_RDONLY)
		return EROFS;
	return EFAULT;
}

static int fault_of_store(struct op_ctx *c, const struct op_args *args, uint64_t offset)
{
	int fd = address_open(c, args, O_RDONLY), err = EFAULT;

	if (fd >= 0) {
		err = window_fault(fd, offset, true);
		close(fd);
	}
	return err;
}

void window_store(struct op_ctx *c, const struct op_args *args, struct op_answer *a)
{
	struct op_window *w = window_open(c, args, a);
	int err = 0;

	if (!w)
		return;
	w->reach = MAX(w->reach, args->offset + args->aux);
	a->done = (uint32_t)guarded_store(w->at + (args->offset - w->offset), c->buffer, args->aux);
	a->began = true;
	if (a->done < args->aux)
		err = fault_of_store(c, args, args->offset + a->done);
	if (err && (!a->done || err != EFAULT)) {
		errno = err;
		answer_end(a, -1);
	} else {
		answer_end(a, a->done);
	}
}
