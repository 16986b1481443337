/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The superblock's array of chunks, into a map that is then asked about every chunk's ends. */
#include "src/audit/map.h"
#include "tests/fuzz/fuzz.h"

static void take(void *context, const struct event *ev)
{
	map_add(context, ev, false);
}

static void no_fault(void *context, const struct fault *f)
{
}

static void ask(const struct map *m, const struct disks *d, uint64_t start)
{
	struct target_address at;
	uint64_t run = map_run(m, start);

	map_find(m, start, 4096, NULL);
	map_overlaps(m, start, 4096);
	if (!map_place(m, d, start, 4096, &at) && (run < 4096 || at.mirrors > ARRAY_SIZE(at.mirror)))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct disks d = {
		.disk = {{.path = "a", .bytes = GiB, .devid = 1}, {.path = "b", .bytes = GiB, .devid = 2}},
		.count = 2,
		.bytes = 2 * GiB};
	unsigned char bytes[SUPER_SIZE] = {0};
	struct super s = {.format = fuzz_format(), .bytes = bytes};
	uint32_t n = htole32((uint32_t)MIN(size, SUPER_ARRAY_MAX));
	struct error e;
	struct map m;
	const struct sink sink = {&m, no_fault, take};

	memcpy(bytes + SUPER_ARRAY_SIZE, &n, sizeof(n));
	memcpy(bytes + SUPER_ARRAY, data, MIN(size, SUPER_ARRAY_MAX));
	map_start(&m, 4096);
	super_chunks(&s, &sink);
	for (size_t i = 0; i < m.count; i++) {
		const struct chunk *c = m.chunks[i];

		ask(&m, &d, c->start);
		ask(&m, &d, c->start + c->length - 4096);
		ask(&m, &d, c->start + c->length);
		ask(&m, &d, c->start - 4096);
		ask(&m, &d, c->start + c->length / 8192 * 4096);
	}
	map_bits(&m, d.bytes, &e);
	for (size_t i = 0; i < m.count; i++) {
		if (m.chunks[i]->summed)
			map_mark(m.chunks[i]->summed, &m, m.chunks[i], m.chunks[i]->start,
				 m.chunks[i]->length);
	}
	map_end(&m);
	return 0;
}
