/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Models outside the process: docs/formats.md, "Model file". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The streaming state of XXH3 is only declared for those who link to exactly this library version, as we do.
 */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "src/content/hash.h"
#include "src/model/private.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file holds records as they lie in memory");

#define MAGIC    "recowmd"
#define VERSION  2U
#define SECTIONS (4 + PICKS + BLOCK_CLASSES)

struct file_header {
	char magic[8];
	uint32_t version;
	uint32_t worker;
	uint64_t run;
	uint64_t operations;
	uint64_t bytes;
	uint64_t blocks_used;
	uint64_t mapped;
	uint32_t anchors;
	uint32_t sections;
	uint64_t length; /* of the whole file */
	uint64_t check;  /* XXH3-64 of all before */
};
_Static_assert(sizeof(struct file_header) == 80, "docs/formats.md");

struct section_header {
	uint32_t section; /* from 0 */
	uint32_t record;  /* bytes */
	uint32_t count;   /* one more than the highest number ever given out */
	uint32_t live;    /* records that follow, each behind its number */
};

/* The arrays in the order of the sections. */
static void arrays_of(struct model_view *v, struct array *out[SECTIONS])
{
	unsigned int n = 0;

	out[n++] = &v->objects;
	out[n++] = &v->names;
	out[n++] = &v->xattrs;
	out[n++] = &v->fragments;
	for (unsigned int i = 0; i < PICKS; i++)
		out[n++] = &v->picks[i];
	for (unsigned int i = 0; i < BLOCK_CLASSES; i++)
		out[n++] = &v->blocks[i];
}

/* A descriptor with a buffer and the checksum of what went through. */
struct stream_file {
	int fd;
	size_t at, end;
	uint64_t done; /* bytes that went through */
	XXH3_state_t sum;
	unsigned char buffer[64 * KiB];
};

static struct stream_file *stream_open(int fd, struct error *e)
{
	/* XXH3_state_t wants 64 bytes of alignment. */
	struct stream_file *f = aligned_alloc(64, round_up_u64(sizeof(*f), 64));

	if (!f) {
		error_errno(e, EXIT_HARNESS, ENOMEM, "model file");
		return NULL;
	}
	f->fd = fd;
	f->at = f->end = 0;
	f->done = 0;
	XXH3_64bits_reset(&f->sum);
	return f;
}

/* ---- writing ----------------------------------------------------------------------------- */

static int stream_flush(struct stream_file *f, struct error *e)
{
	size_t done = 0;

	while (done < f->end) {
		ssize_t n = write(f->fd, f->buffer + done, f->end - done);

		if (n < 0 && errno != EINTR)
			return error_errno(e, EXIT_HARNESS, errno, "cannot write the model file");
		if (n > 0)
			done += (size_t)n;
	}
	f->end = 0;
	return 0;
}

static int stream_write(struct stream_file *f, const void *bytes, size_t len, struct error *e)
{
	if (f->end + len > sizeof(f->buffer) && stream_flush(f, e) < 0)
		return -1;
	memcpy(f->buffer + f->end, bytes, len);
	f->end += len;
	XXH3_64bits_update(&f->sum, bytes, len);
	return 0;
}

struct save {
	struct stream_file *file;
	size_t record;
	struct error *e;
};

static int save_record(void *self, uint32_t n, const void *record)
{
	struct save *s = self;

	if (stream_write(s->file, &n, sizeof(n), s->e) < 0 ||
	    stream_write(s->file, record, s->record, s->e) < 0)
		return 1;
	return 0;
}

static int save_section(struct stream_file *f, const struct model_view *v, unsigned int section,
			const struct array *a, struct error *e)
{
	struct section_header h = {
		.section = section, .record = a->record, .count = a->count, .live = a->live};
	struct save s = {.file = f, .record = a->record, .e = e};
	int answer;

	if (stream_write(f, &h, sizeof(h), e) < 0)
		return -1;
	answer = array_each(v->pool, a, save_record, &s);
	if (answer < 0)
		return error_set(e, EXIT_HARNESS, "the model of worker %u is damaged in memory", v->worker);
	return answer ? -1 : 0;
}

static struct file_header header_of(const struct model_view *v, struct array *const arrays[SECTIONS])
{
	struct file_header h = {
		.magic = MAGIC,
		.version = VERSION,
		.worker = v->worker,
		.run = v->run,
		.operations = v->operations,
		.bytes = v->bytes,
		.blocks_used = v->blocks_used,
		.mapped = v->mapped,
		.anchors = v->anchors,
		.sections = SECTIONS,
		.length = sizeof(h) + sizeof(uint64_t),
	};

	for (unsigned int i = 0; i < SECTIONS; i++)
		h.length += sizeof(struct section_header) +
			    (uint64_t)arrays[i]->live * (sizeof(uint32_t) + arrays[i]->record);
	h.check = hash_bytes(&h, offsetof(struct file_header, check));
	return h;
}

static int save_all(struct stream_file *f, const struct model_view *v, struct error *e)
{
	struct model_view copy = *v;
	struct array *arrays[SECTIONS];
	struct file_header h;
	uint64_t sum;

	arrays_of(&copy, arrays);
	h = header_of(v, arrays);
	if (stream_write(f, &h, sizeof(h), e) < 0)
		return -1;
	for (unsigned int i = 0; i < SECTIONS; i++) {
		if (save_section(f, v, i, arrays[i], e) < 0)
			return -1;
	}
	sum = XXH3_64bits_digest(&f->sum);
	if (stream_write(f, &sum, sizeof(sum), e) < 0)
		return -1;
	return stream_flush(f, e);
}

int model_save(const struct model_view *v, int fd, struct error *e)
{
	struct stream_file *f;
	int answer;

	if (!view_intact(v))
		return error_set(e, EXIT_HARNESS, "the root of the model of worker %u is damaged in memory",
				 v->worker);
	f = stream_open(fd, e);
	if (!f)
		return -1;
	answer = save_all(f, v, e);
	free(f);
	return answer;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int stream_fill(struct stream_file *f, struct error *e)
{
	ssize_t n;

	do {
		n = read(f->fd, f->buffer, sizeof(f->buffer));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot read the model file");
	if (n == 0)
		return error_set(e, EXIT_HARNESS, "the model file is cut off after %llu bytes",
				 (unsigned long long)f->done);
	f->at = 0;
	f->end = (size_t)n;
	return 0;
}

static int stream_read(struct stream_file *f, void *bytes, size_t len, struct error *e)
{
	unsigned char *out = bytes;

	for (size_t done = 0; done < len;) {
		size_t part;

		if (f->at == f->end && stream_fill(f, e) < 0)
			return -1;
		part = MIN(len - done, f->end - f->at);
		memcpy(out + done, f->buffer + f->at, part);
		f->at += part;
		f->done += part;
		done += part;
	}
	XXH3_64bits_update(&f->sum, bytes, len);
	return 0;
}

static int damaged(const struct stream_file *f, const char *what, struct error *e)
{
	return error_set(e, EXIT_HARNESS, "the model file is damaged: %s before byte %llu", what,
			 (unsigned long long)f->done);
}

static int load_header(struct stream_file *f, struct file_header *h, struct error *e)
{
	if (stream_read(f, h, sizeof(*h), e) < 0)
		return -1;
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0)
		return error_set(e, EXIT_HARNESS, "not a model file");
	if (h->version != VERSION)
		return error_set(e, EXIT_HARNESS,
				 "the model file has version %u; this recow reads version %u", h->version,
				 VERSION);
	if (h->check != hash_bytes(h, offsetof(struct file_header, check)) || h->sections != SECTIONS)
		return damaged(f, "wrong header", e);
	return 0;
}

static int load_record(struct stream_file *f, struct model *m, struct array *a, struct error *e)
{
	unsigned char record[PAGE_PAYLOAD];
	uint32_t n;

	if (stream_read(f, &n, sizeof(n), e) < 0 || stream_read(f, record, a->record, e) < 0)
		return -1;
	if (array_take(&m->owner, a, n) < 0) {
		if (m->owner.exhausted)
			return error_set(e, EXIT_HARNESS,
					 "the pool of model pages is too small for the model file");
		return damaged(f, "wrong record number", e);
	}
	array_put(&m->owner, a, n, 0, record, a->record);
	return 0;
}

static int load_section(struct stream_file *f, struct model *m, unsigned int section, struct array *a,
			struct error *e)
{
	struct section_header h;

	if (stream_read(f, &h, sizeof(h), e) < 0)
		return -1;
	if (h.section != section || h.record != a->record || h.live > h.count)
		return damaged(f, "wrong section", e);
	for (uint32_t i = 0; i < h.live; i++) {
		if (load_record(f, m, a, e) < 0)
			return -1;
	}
	if (a->count > h.count)
		return damaged(f, "wrong section", e);
	a->count = h.count;
	return 0;
}

static int load_sections(struct stream_file *f, struct model *m, struct error *e)
{
	struct array *arrays[SECTIONS];
	uint64_t sum, stored;

	arrays_of(&m->head, arrays);
	for (unsigned int i = 0; i < SECTIONS; i++) {
		if (load_section(f, m, i, arrays[i], e) < 0)
			return -1;
	}
	sum = XXH3_64bits_digest(&f->sum);
	if (stream_read(f, &stored, sizeof(stored), e) < 0)
		return -1;
	return sum == stored ? 0 : damaged(f, "wrong checksum", e);
}

static uint32_t count_shared_files(const struct model_view *v)
{
	uint32_t count = 0;
	struct object o;

	while (view_object(v, OBJECT_FIRST_SHARED_FILE + count, &o) && o.type == OBJECT_FILE &&
	       (o.flags & OBJECT_ANCHOR))
		count++;
	return count;
}

static int load_all(struct stream_file *f, struct model *m, struct page_pool *pool, struct error *e)
{
	struct file_header h;

	if (load_header(f, &h, e) < 0 || model_init_empty(m, pool, h.worker, h.run, e) < 0)
		return -1;
	m->head.operations = h.operations;
	m->head.bytes = h.bytes;
	m->head.blocks_used = h.blocks_used;
	m->head.mapped = h.mapped;
	m->head.anchors = h.anchors;
	if (load_sections(f, m, e) < 0) {
		model_destroy(m);
		return -1;
	}
	m->head.shared_files = count_shared_files(&m->head);
	return 0;
}

int model_load(struct model *m, struct page_pool *pool, int fd, struct error *e)
{
	struct stream_file *f = stream_open(fd, e);
	int answer;

	if (!f)
		return -1;
	answer = load_all(f, m, pool, e);
	free(f);
	return answer;
}
