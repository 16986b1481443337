/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the model, content and journal cost: nanoseconds per change and bytes per object. Not installed; run
 * it as `make check_PROGRAMS= tests/bench_model && tests/bench_model`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "src/base/clock.h"
#include "src/base/random.h"
#include "src/journal/ring.h"
#include "src/model/model.h"

#define POOL_BYTES (1 * GiB)
#define FILES      20000U

struct bench {
	struct model m;
	struct stream random;
	uint64_t op;
	uint32_t ids[FILES];
	unsigned char data[1 * MiB];
};

static void report(const char *what, uint64_t since, uint64_t count)
{
	printf("%-46s %9.0f ns\n", what, (double)(clock_mono() - since) / (double)count);
}

static void create_one(struct bench *b, uint32_t i)
{
	struct model_create c = {
		.type = OBJECT_FILE,
		.parent = OBJECT_ROOT + i % 5,
		.name = nameref_make(model_next_name(&b->m), 20, i),
	};

	b->ids[i] = model_create(&b->m, ++b->op, &c);
}

/* Returns the nanoseconds that the model took; making the content is not counted. */
static uint64_t write_one(struct bench *b, uint32_t id, uint64_t offset, size_t len)
{
	struct content_key key = {.run = 1, .origin = {.worker = 1, .operation = ++b->op}, .object = id};
	uint64_t since;

	content_fill(&key, offset, b->data, len);
	since = clock_mono();
	model_write(&b->m, b->op, id, offset, b->data, len);
	return clock_mono() - since;
}

static void bench_content(struct bench *b)
{
	struct content_key key = {.run = 1, .origin = {.worker = 1, .operation = 1}, .object = 1};
	uint64_t since = clock_mono(), sum = 0;
	struct stamp stamp;
	char name[256];

	for (uint64_t i = 0; i < 1000; i++) {
		key.origin.operation = i;
		content_fill(&key, i * 4096, b->data, 128 * KiB);
	}
	printf("%-46s %9.2f GB/s\n", "content_fill, 128 KiB",
	       1000 * 128.0 * KiB / (double)(clock_mono() - since));
	since = clock_mono();
	for (uint64_t i = 0; i < 32000; i++)
		sum += content_hash(&b->data[i % 32 * BLOCK_SIZE]);
	printf("%-46s %9.2f GB/s\n", "content_hash, 4 KiB",
	       32000.0 * BLOCK_SIZE / (double)(clock_mono() - since));
	since = clock_mono();
	for (uint32_t i = 0; i < 100000; i++)
		sum += content_stamp(1, b->data + i % 2000 * (size_t)LINE_SIZE, &stamp);
	report("content_stamp", since, 100000);
	since = clock_mono();
	for (uint32_t i = 0; i < 100000; i++)
		sum += content_name(nameref_make(i, 24, i), 1, true, name);
	report("content_name, 24 bytes", since, 100000);
	if (sum == 42)
		puts("");
}

static void bench_puts(struct bench *b)
{
	uint64_t since = clock_mono();

	for (uint32_t i = 0; i < 200000; i++)
		model_set_mode(&b->m, ++b->op, b->ids[i % 100], 0644);
	report("model_set_mode (one array_put)", since, 200000);
	since = clock_mono();
	for (uint32_t i = 0; i < 200000; i++)
		model_set_mode(&b->m, ++b->op, b->ids[stream_below(&b->random, FILES)], 0644);
	report("model_set_mode, random objects", since, 200000);
}

static void bench_writes(struct bench *b, const char *what, size_t len, bool aligned)
{
	const unsigned int count = 20000;
	uint64_t taken = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint64_t offset = stream_below(&b->random, 64 * KiB);

		taken += write_one(b, b->ids[stream_below(&b->random, 2000)],
				   aligned ? offset & ~4095ULL : offset, len);
	}
	printf("%-46s %9.0f ns\n", what, (double)taken / count);
}

static void bench_freeze(struct bench *b)
{
	struct frozen *f;
	uint64_t since = clock_mono(), copied;

	for (int i = 0; i < 10000; i++)
		model_release(model_freeze(&b->m));
	report("model_freeze, model_release, model_reap", since, 10000);
	f = model_freeze(&b->m);
	copied = clock_mono();
	for (uint32_t i = 0; i < 20000; i++)
		model_set_mode(&b->m, ++b->op, b->ids[stream_below(&b->random, FILES)], 0600);
	report("model_set_mode just after (copying)", copied, 20000);
	model_release(f);
	since = clock_mono();
	model_reap(&b->m);
	report("model_reap of what 20000 changes replaced", since, 1);
}

/* What a verifier does per file and block. */
static void bench_reading(struct bench *b)
{
	struct frozen *f = model_freeze(&b->m);
	uint64_t since = clock_mono(), blocks = 0, files = 0;
	struct block_entry entries[256];
	char path[4096];
	struct object o;

	for (uint32_t id = 1; id < f->view.objects.count; id++) {
		if (!view_object(&f->view, id, &o) || o.type != OBJECT_FILE)
			continue;
		files++;
		for (uint64_t at = 0; at < o.mapped; at += 256)
			blocks += view_blocks(&f->view, &o, at, 256, entries);
	}
	report("frozen: object and its blocks", since, files);
	printf("%-46s %9.0f\n", "  blocks per file", (double)blocks / (double)files);
	since = clock_mono();
	for (uint32_t i = 10; i < 10010; i++)
		view_path(&f->view, i, path, sizeof(path));
	report("frozen: view_path", since, 10000);
	model_release(f);
	model_reap(&b->m);
}

static void bench_unlink(struct bench *b)
{
	uint64_t since = clock_mono();

	for (unsigned int i = 0; i < 10000; i++)
		model_unlink(&b->m, ++b->op, model_pick(&b->m, PICK_FILE, stream_u64(&b->random)));
	report("model_unlink of a random file", since, 10000);
}

static void bench_memory(const struct bench *b)
{
	struct model_stats s;

	view_stats(&b->m.head, &s);
	printf("%-46s %9.1f bytes\n", "memory per object with its name",
	       (double)s.object_bytes / (double)s.objects);
	printf("%-46s %9.2f bytes (%llu blocks)\n", "memory per block",
	       (double)s.block_bytes / (double)MAX(s.blocks, 1ULL), (unsigned long long)s.blocks);
	printf("%-46s %9.1f bytes (%llu fragments)\n", "memory per fragment",
	       (double)s.fragment_bytes / (double)MAX(s.fragments, 1ULL), (unsigned long long)s.fragments);
}

static void bench_ring(void)
{
	struct journal_ring *ring = aligned_alloc(64, sizeof(*ring));
	static struct journal_record out[1024];
	struct journal_record r = {.operation = 1};
	_Atomic bool stop = false;
	uint64_t since;

	if (!ring)
		return;
	memset(ring, 0, sizeof(*ring));
	since = clock_mono();
	for (uint32_t i = 0; i < 1000000; i++) {
		ring_put(ring, &r, &stop);
		if (i % 1024 == 1023)
			ring_drop(ring, ring_look(ring, out, 1024));
	}
	report("ring_put, ring_look and ring_drop", since, 1000000);
	free(ring);
}

int main(void)
{
	static struct bench b;
	struct error e;
	void *pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t since;

	if (pool == MAP_FAILED || model_init(&b.m, page_pool_init(pool, POOL_BYTES), 1, 1, 4, &e) < 0)
		return 1;
	b.random = stream_make(1, 2, 3);
	bench_content(&b);
	bench_ring();
	since = clock_mono();
	for (uint32_t i = 0; i < FILES; i++)
		create_one(&b, i);
	report("model_create", since, FILES);
	bench_puts(&b);
	bench_writes(&b, "model_write, 4 KiB aligned", 4096, true);
	bench_writes(&b, "model_write, 64 KiB aligned", 64 * KiB, true);
	bench_writes(&b, "model_write, 300 bytes anywhere", 300, false);
	bench_freeze(&b);
	bench_reading(&b);
	bench_memory(&b);
	bench_unlink(&b);
	model_destroy(&b.m);
	return b.m.owner.corrupted || b.m.owner.exhausted;
}
