/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/journal/file.h"
#include "src/journal/ring.h"
#include "tests/unit/unit.h"

/* ---- ring -------------------------------------------------------------------------------- */

#define RING_TOTAL (RING_RECORDS * 5ULL + 17)

static struct journal_record record_of(uint64_t n)
{
	return (struct journal_record){
		.operation = n,
		.start = n * 1000,
		.took = (uint32_t)n,
		.answer = -(int32_t)(n % 30),
		.kind = (uint16_t)(n % 17),
		.args = {.object = (uint32_t)n, .offset = n << 12},
	};
}

static void assert_record(const struct journal_record *r, uint64_t n)
{
	struct journal_record expected = record_of(n);

	expected.check = journal_record_check(&expected);
	assert_memory_equal(r, &expected, sizeof(expected));
}

struct producer {
	struct journal_ring *ring;
	_Atomic bool stop;
	uint64_t put;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	while (p->put < RING_TOTAL) {
		struct journal_record r = record_of(p->put + 1);

		if (!ring_put(p->ring, &r, &p->stop))
			break;
		p->put++;
	}
	return NULL;
}

/* What the guard does. */
static size_t take(struct journal_ring *ring, struct journal_record *out, size_t room)
{
	size_t count = ring_look(ring, out, room);

	ring_drop(ring, count);
	return count;
}

static void test_ring_keeps_all_in_order(void **state)
{
	struct journal_ring *ring = aligned_alloc(64, sizeof(*ring));
	static struct journal_record out[1000];
	struct producer p = {.ring = ring};
	pthread_t thread;
	uint64_t seen = 0;

	assert_non_null(ring);
	memset(ring, 0, sizeof(*ring));
	assert_int_equal(take(ring, out, ARRAY_SIZE(out)), 0);
	assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
	while (seen < RING_TOTAL) {
		size_t got = take(ring, out, 1 + seen % ARRAY_SIZE(out));

		for (size_t i = 0; i < got; i++)
			assert_record(&out[i], ++seen);
	}
	pthread_join(thread, NULL);
	assert_int_equal(p.put, RING_TOTAL);
	free(ring);
}

static void test_ring_full_gives_up_on_stop(void **state)
{
	struct journal_ring *ring = aligned_alloc(64, sizeof(*ring));
	struct producer p = {.ring = ring};
	struct journal_record out;
	pthread_t thread;

	assert_non_null(ring);
	memset(ring, 0, sizeof(*ring));
	assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
	while (!atomic_load(&ring->waits))
		usleep(1000);
	atomic_store(&p.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(p.put, RING_RECORDS);
	assert_int_equal(take(ring, &out, 1), 1);
	assert_record(&out, 1);
	free(ring);
}

/* ---- files ------------------------------------------------------------------------------- */

static int setup(void **state)
{
	char *dir = strdup("/tmp/recow-journal-XXXXXX");

	*state = dir;
	return dir && mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	free(*state);
	return system(command); /* NOLINT(cert-env33-c): a directory that mkdtemp named */
}

static void write_records(struct journal_writer *w, uint64_t first, uint64_t last)
{
	static struct journal_record batch[4096];
	struct error e;

	while (first <= last) {
		size_t count = 0;

		for (; count < ARRAY_SIZE(batch) && first <= last; count++, first++) {
			batch[count] = record_of(first);
			batch[count].check = journal_record_check(&batch[count]);
		}
		assert_int_equal(journal_writer_append(w, batch, count, &e), 0);
	}
}

static void write_journal(const char *dir, uint64_t count)
{
	struct error e;
	struct journal_writer *w = journal_writer_open(dir, 3, 99, 12345, &e);

	assert_non_null(w);
	write_records(w, 1, count);
	assert_int_equal(journal_writer_sync(w, &e), 0);
	journal_writer_close(w);
}

/* Read all; returns how many there were. */
static uint64_t read_journal(const char *dir, uint64_t first, uint64_t *truncated)
{
	struct error e;
	struct journal_reader *r = journal_reader_open(dir, 3, &e);
	struct journal_record out;
	uint64_t count = 0;

	assert_non_null(r);
	assert_int_equal(journal_reader_header(r)->run, 99);
	assert_int_equal(journal_reader_header(r)->start, 12345);
	while (journal_reader_next(r, &out, truncated, &e) == 1)
		assert_record(&out, first + count++);
	assert_int_equal(journal_reader_next(r, &out, NULL, &e), 0);
	journal_reader_close(r);
	return count;
}

static void part(const char *dir, unsigned int number, char buf[256])
{
	snprintf(buf, 256, "%s/w0003.%06u.rjl", dir, number);
}

static void test_round_trip(void **state)
{
	uint64_t truncated = 1;
	struct error e;

	write_journal(*state, 1000);
	assert_int_equal(read_journal(*state, 1, &truncated), 1000);
	assert_int_equal(truncated, 0);
	assert_null(journal_writer_open(*state, 3, 99, 0, &e)); /* never over an old one */
	assert_null(journal_reader_open(*state, 4, &e));
	assert_non_null(strstr(e.text, "no journal of worker 4"));
	assert_null(journal_reader_open("/nonexistent", 4, &e));
}

static void test_empty(void **state)
{
	uint64_t truncated = 1;

	write_journal(*state, 0);
	assert_int_equal(read_journal(*state, 1, &truncated), 0);
	assert_int_equal(truncated, 0);
}

static void test_cut_tail(void **state)
{
	uint64_t truncated;
	char path[256];

	write_journal(*state, 100);
	part(*state, 0, path);
	assert_int_equal(truncate(path, 64 + 64 * 50 + 63), 0);
	assert_int_equal(read_journal(*state, 1, &truncated), 50);
	assert_int_equal(truncated, 63);
}

static void flip(const char *path, long at)
{
	FILE *f = fopen(path, "r+");
	int c;

	assert_non_null(f);
	fseek(f, at, SEEK_SET);
	c = fgetc(f);
	fseek(f, at, SEEK_SET);
	fputc(c ^ 4, f);
	fclose(f);
}

static void test_damaged_record(void **state)
{
	uint64_t truncated;
	char path[256];

	write_journal(*state, 100);
	part(*state, 0, path);
	flip(path, 64 + 64 * 20 + 11);
	assert_int_equal(read_journal(*state, 1, &truncated), 20);
	assert_int_equal(truncated, 80 * 64);
}

static void test_damaged_header(void **state)
{
	struct error e;
	char path[256];

	write_journal(*state, 100);
	part(*state, 0, path);
	flip(path, 20);
	assert_null(journal_reader_open(*state, 3, &e));
	assert_non_null(strstr(e.text, "the header is damaged"));
	assert_int_equal(truncate(path, 10), 0);
	assert_null(journal_reader_open(*state, 3, &e));
	assert_non_null(strstr(e.text, "cut off"));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(truncate(path, 64), 0);
	assert_null(journal_reader_open(*state, 3, &e));
	assert_non_null(strstr(e.text, "not a journal file"));
}

static void test_parts_and_drop(void **state)
{
	uint64_t per = JOURNAL_FILE_RECORDS, truncated;
	struct error e;
	struct journal_writer *w = journal_writer_open(*state, 3, 99, 12345, &e);
	char path[256];

	assert_non_null(w);
	write_records(w, 1, per * 2 + 10);
	assert_int_equal(read_journal(*state, 1, &truncated), per * 2 + 10);
	assert_int_equal(journal_writer_drop(w, 0, UINT64_MAX, &e), 0);
	assert_int_equal(read_journal(*state, 1, NULL), per * 2 + 10); /* 0 keeps all */
	assert_int_equal(journal_writer_drop(w, 1, per, &e), 0);
	assert_int_equal(read_journal(*state, 1, NULL), per * 2 + 10); /* record `per` is still wanted */
	assert_int_equal(journal_writer_drop(w, per * 64 * 2 + 4096, per + 1, &e), 0);
	assert_int_equal(read_journal(*state, 1, NULL), per * 2 + 10); /* fits */
	assert_int_equal(journal_writer_drop(w, 1, per + 1, &e), 0);
	assert_int_equal(read_journal(*state, per + 1, &truncated), per + 10);
	write_records(w, per * 2 + 11, per * 2 + 20);
	assert_int_equal(journal_writer_drop(w, 1, UINT64_MAX, &e), 0);
	assert_int_equal(read_journal(*state, per * 2 + 1, &truncated), 20); /* never the newest */
	journal_writer_close(w);

	part(*state, 2, path);
	assert_int_equal(truncate(path, 30), 0);
	assert_null(journal_reader_open(*state, 3, &e));
}

/* A crash may leave a part without its header; the one before is still good. */
static void test_part_without_header(void **state)
{
	uint64_t truncated;
	char path[256];

	write_journal(*state, JOURNAL_FILE_RECORDS + 5);
	part(*state, 1, path);
	assert_int_equal(truncate(path, 30), 0);
	assert_int_equal(read_journal(*state, 1, &truncated), JOURNAL_FILE_RECORDS);
	assert_int_equal(truncated, 30);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_keeps_all_in_order),
		cmocka_unit_test(test_ring_full_gives_up_on_stop),
		FILE_TEST(test_round_trip),
		FILE_TEST(test_empty),
		FILE_TEST(test_cut_tail),
		FILE_TEST(test_damaged_record),
		FILE_TEST(test_damaged_header),
		FILE_TEST(test_parts_and_drop),
		FILE_TEST(test_part_without_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
