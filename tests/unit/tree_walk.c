/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tree_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/ops/held.h"

struct expected_name {
	uint32_t parent, object;
	bool found;
	size_t len;
	char bytes[256];
};

/* What the first name of an object showed; the others must show the same. */
struct object_seen {
	ino_t ino;
	bool seen;
};

static void differ(struct tree_walk *t, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void differ(struct tree_walk *t, const char *path, const char *fmt, ...)
{
	char text[1000], escaped[5000];
	va_list ap;

	if (t->differences++)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	bytes_escape(escaped, sizeof(escaped), path, strlen(path));
	snprintf(t->first, sizeof(t->first), "%s: %s", escaped, text);
}

static int by_place(const void *a, const void *b)
{
	const struct expected_name *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return strcmp(x->bytes, y->bytes);
}

/* The anchor that a directory is below; OBJECT_NONE below another subvolume, of which a snapshot has nothing.
 */
static uint32_t anchor_above(const struct model_view *v, uint32_t dir)
{
	struct object o;
	struct name n;

	while (!view_is_anchor(v, dir)) {
		if (!view_object(v, dir, &o) || !view_name(v, o.first_name, &n))
			return OBJECT_NONE;
		if (o.flags & OBJECT_SUBVOLUME)
			return OBJECT_NONE;
		dir = n.parent;
	}
	return dir;
}

static void collect(struct tree_walk *t)
{
	const struct model_view *v = t->view;

	t->expected = calloc(v->names.count + 1, sizeof(*t->expected));
	t->seen = calloc(v->objects.count + 1, sizeof(*t->seen));
	t->count = 0;
	for (uint32_t i = 0; i < v->names.count; i++) {
		struct expected_name *e = &t->expected[t->count];
		struct name n;

		if (!view_name(v, i, &n) || n.parent == OBJECT_NONE || n.parent == OBJECT_HELD)
			continue;
		if (t->snapshot && anchor_above(v, n.parent) != OBJECT_ROOT)
			continue;
		e->parent = n.parent;
		e->object = n.object;
		e->len = view_name_bytes(v, &n, i, e->bytes);
		t->count++;
	}
	qsort(t->expected, t->count, sizeof(*t->expected), by_place);
	for (size_t i = 1; i < t->count; i++) {
		if (by_place(&t->expected[i - 1], &t->expected[i]) == 0)
			differ(t, t->expected[i].bytes, "the model has this name twice");
	}
}

static bool compare_block(struct tree_walk *t, uint32_t id, uint64_t block, const struct block_entry *entry,
			  const unsigned char *got, bool thorough)
{
	unsigned char expected[BLOCK_SIZE];

	if (entry->writer && content_hash(got) != entry->hash)
		return false;
	if (entry->writer && !thorough)
		return true;
	view_regenerate(t->view, id, block, entry, expected);
	return memcmp(expected, got, BLOCK_SIZE) == 0;
}

static void compare_data(struct tree_walk *t, int fd, const char *path, uint32_t id, const struct object *o)
{
	unsigned char buf[64 * BLOCK_SIZE];
	struct block_entry entries[64];

	for (uint64_t block = 0; block * BLOCK_SIZE < o->size; block += 64) {
		ssize_t n = pread(fd, buf, sizeof(buf), (off_t)(block * BLOCK_SIZE));
		size_t count = (size_t)MIN(div_up_u64(o->size, BLOCK_SIZE) - block, 64UL);

		if (n < 0 || (uint64_t)n != MIN(o->size - block * BLOCK_SIZE, (uint64_t)sizeof(buf)))
			differ(t, path, "read at %llu answered %zd (%s)",
			       (unsigned long long)(block * BLOCK_SIZE), n, strerror(errno));
		if (n < 0)
			return;
		memset(buf + n, 0, sizeof(buf) - (size_t)n);
		t->bytes += (uint64_t)n;
		if (view_blocks(t->view, o, block, count, entries) != count)
			differ(t, path, "the model has no entries at block %llu", (unsigned long long)block);
		for (size_t i = 0; i < count; i++) {
			if (!compare_block(t, id, block + i, &entries[i], buf + i * BLOCK_SIZE,
					   (id + i) % 16 == 0))
				differ(t, path, "object %u, block %llu has other content", id,
				       (unsigned long long)(block + i));
		}
	}
}

static void compare_xattrs(struct tree_walk *t, int fd, const char *path, uint32_t id, const struct object *o)
{
	static char names[65536], value[65536], expected[65536];
	ssize_t listed = flistxattr(fd, names, sizeof(names));
	unsigned int want = 0, have = 0;
	struct xattr x;

	for (char *n = names; listed > 0 && n < names + listed; n += strlen(n) + 1)
		have += strncmp(n, "user.", 5) == 0;
	for (uint32_t next = o->first_xattr; next; next = x.next) {
		struct content_key key = {.run = t->view->run, .object = id};
		char name[64];
		ssize_t n;

		if (!view_xattr(t->view, next - 1, &x)) {
			differ(t, path, "broken list of attributes in the model");
			return;
		}
		want++;
		key.origin = (struct origin){.worker = t->view->worker, .operation = x.operation};
		snprintf(name, sizeof(name), "user.recow.%u", x.number);
		n = fgetxattr(fd, name, value, sizeof(value));
		content_xattr(&key, x.number, expected, x.length);
		if (n != (ssize_t)x.length || memcmp(value, expected, x.length) != 0)
			differ(t, path, "attribute %s: %zd bytes (%s), must be %u", name, n,
			       n < 0 ? strerror(errno) : "or other ones", x.length);
	}
	if (have != want)
		differ(t, path, "%u attributes, must be %u", have, want);
}

static void compare_symlink(struct tree_walk *t, int dir, const char *name, const char *path, uint32_t id,
			    const struct object *o)
{
	const struct content_key key = {
		.run = t->view->run,
		.origin = {.worker = t->view->worker, .operation = o->born},
		.object = id,
	};
	char got[8192], expected[8192];
	ssize_t n = readlinkat(dir, name, got, sizeof(got));

	content_symlink(&key, expected, o->size);
	if (n != (ssize_t)o->size || memcmp(got, expected, o->size) != 0)
		differ(t, path, "symlink target of %zd bytes, must be %llu (or others)", n,
		       (unsigned long long)o->size);
}

static void compare_attributes(struct tree_walk *t, const char *path, const struct object *o,
			       const struct stat *st)
{
	static const mode_t types[] = {[OBJECT_FILE] = S_IFREG,
				       [OBJECT_DIR] = S_IFDIR,
				       [OBJECT_SYMLINK] = S_IFLNK,
				       [OBJECT_WHITEOUT] = S_IFCHR};
	const int64_t mtime = st->st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st->st_mtim.tv_nsec;

	if ((st->st_mode & S_IFMT) != types[o->type])
		differ(t, path, "type 0%o, must be 0%o", st->st_mode & S_IFMT, types[o->type]);
	if (o->type == OBJECT_WHITEOUT && st->st_rdev != 0)
		differ(t, path, "device number %llx, must be 0", (unsigned long long)st->st_rdev);
	if ((st->st_mode & 07777) != o->mode)
		differ(t, path, "mode 0%o, must be 0%o", st->st_mode & 07777, o->mode);
	if (st->st_uid != o->uid || st->st_gid != o->gid)
		differ(t, path, "owner %u:%u, must be %u:%u", st->st_uid, st->st_gid, o->uid, o->gid);
	if (o->type != OBJECT_DIR && (uint64_t)st->st_size != o->size)
		differ(t, path, "size %lld, must be %llu", (long long)st->st_size,
		       (unsigned long long)o->size);
	if (o->type != OBJECT_DIR && st->st_nlink != o->links)
		differ(t, path, "%lu links, must be %u", (unsigned long)st->st_nlink, o->links);
	if (mtime < o->mtime_min || mtime > o->mtime_max)
		differ(t, path, "mtime %lld, must be in [%lld, %lld]; changed by operation %llu",
		       (long long)mtime, (long long)o->mtime_min, (long long)o->mtime_max,
		       (unsigned long long)o->changed);
}

static void walk_directory(struct tree_walk *t, int fd, uint32_t id, const char *path);

static void compare_open(struct tree_walk *t, int dir, const char *name, const char *path, uint32_t id,
			 const struct object *o)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		differ(t, path, "open: %s", strerror(errno));
		return;
	}
	compare_xattrs(t, fd, path, id, o);
	if (o->type == OBJECT_DIR) {
		walk_directory(t, fd, id, path);
		return;
	}
	if (!(o->flags & OBJECT_UNSURE))
		compare_data(t, fd, path, id, o);
	close(fd);
}

static void compare_nothing_in(struct tree_walk *t, int dir, const char *name, const char *path, uint32_t id)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		differ(t, path, "open: %s", strerror(errno));
	else
		walk_directory(t, fd, id, path); /* whose names were not collected */
}

static void compare_entry(struct tree_walk *t, int dir, const char *path, const struct expected_name *e)
{
	struct object_seen *seen = &t->seen[e->object];
	struct object o;
	struct stat st;

	t->names++;
	if (!view_object(t->view, e->object, &o)) {
		differ(t, path, "the model has a name without an object");
		return;
	}
	if (fstatat(dir, e->bytes, &st, AT_SYMLINK_NOFOLLOW)) {
		differ(t, path, "stat: %s", strerror(errno));
		return;
	}
	if (t->snapshot && o.flags & OBJECT_SUBVOLUME) { /* an empty directory stands for it */
		if (!S_ISDIR(st.st_mode))
			differ(t, path, "is no directory");
		compare_nothing_in(t, dir, e->bytes, path, e->object);
		return;
	}
	if (seen->seen) {
		if (seen->ino != st.st_ino)
			differ(t, path, "is not the same file as its other link");
		return;
	}
	*seen = (struct object_seen){.seen = true, .ino = st.st_ino};
	compare_attributes(t, path, &o, &st);
	if (o.type == OBJECT_SYMLINK)
		compare_symlink(t, dir, e->bytes, path, e->object, &o);
	else if (o.type != OBJECT_WHITEOUT)
		compare_open(t, dir, e->bytes, path, e->object, &o);
}

/* Takes over fd. */
static void walk_directory(struct tree_walk *t, int fd, uint32_t id, const char *path)
{
	DIR *d = fdopendir(fd);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		struct expected_name key = {.parent = id}, *e;
		char below[8192];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(key.bytes, sizeof(key.bytes), "%s", entry->d_name);
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		e = bsearch(&key, t->expected, t->count, sizeof(*e), by_place);
		if (!e) {
			differ(t, below, "a name that the model doesn't have");
			continue;
		}
		if (e->found)
			differ(t, below, "listed twice");
		e->found = true;
		compare_entry(t, fd, below, e);
	}
	if (d)
		closedir(d);
}

/* Files without a name, by the descriptors of their worker. */
static void walk_held(struct tree_walk *t)
{
	for (uint32_t i = 0; i < t->view->names.count; i++) {
		struct object o = {0};
		struct stat st;
		struct name n;
		char path[64];
		int fd;

		if (!view_name(t->view, i, &n) || n.parent != OBJECT_HELD)
			continue;
		snprintf(path, sizeof(path), "object %u without a name", n.object);
		fd = held_fd(t->holder, n.object);
		if (!view_object(t->view, n.object, &o) || fstat(fd, &st)) {
			differ(t, path, "descriptor %d: %s", fd, strerror(errno));
			continue;
		}
		t->held++;
		compare_attributes(t, path, &o, &st);
		compare_xattrs(t, fd, path, n.object, &o);
		if (!(o.flags & OBJECT_UNSURE))
			compare_data(t, fd, path, n.object, &o);
	}
}

/* All of them are this worker's: there is no other. */
static void walk_shared_files(struct tree_walk *t)
{
	for (uint32_t k = 0; k < t->view->shared_files; k++) {
		const uint32_t id = OBJECT_FIRST_SHARED_FILE + k;
		struct object o = {0};
		struct stat st;
		char path[64];
		int fd;

		anchor_path(t->view->worker, id, path, sizeof(path));
		fd = openat(t->target, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (!view_object(t->view, id, &o) || fd < 0 || fstat(fd, &st)) {
			differ(t, path, "open: %s", strerror(errno));
			continue;
		}
		if ((uint64_t)st.st_size != o.size)
			differ(t, path, "size %lld, must be %llu", (long long)st.st_size,
			       (unsigned long long)o.size);
		if (!(o.flags & OBJECT_UNSURE))
			compare_data(t, fd, path, id, &o);
		close(fd);
	}
}

void tree_walk(struct tree_walk *t)
{
	char path[64];
	struct object o;

	collect(t);
	for (uint32_t id = OBJECT_ROOT; view_object(t->view, id, &o) && (o.flags & OBJECT_ANCHOR); id++) {
		int fd;

		if (t->snapshot && id != OBJECT_ROOT)
			continue;
		anchor_path(t->view->worker, id, path, sizeof(path));
		if (t->snapshot)
			snprintf(path, sizeof(path), "%s", t->snapshot);
		fd = openat(t->target, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			differ(t, path, "open: %s", strerror(errno));
		else
			walk_directory(t, fd, id, path);
	}
	if (!t->snapshot)
		walk_shared_files(t);
	for (size_t i = 0; i < t->count; i++) {
		if (!t->expected[i].found)
			differ(t, t->expected[i].bytes, "name of object %u in directory %u is missing",
			       t->expected[i].object, t->expected[i].parent);
	}
	if (!t->snapshot)
		walk_held(t);
	free(t->expected);
	free(t->seen);
}
