/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which cached pages moved: on files in /var/tmp, as root (page frames are shown to nobody else). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "injectors/sample.h"
#include "tests/unit/unit.h"

#define FILES 4
#define BYTES (2 * MiB)

static char directory[] = "/var/tmp/recow-sample-XXXXXX";
static int root, file[FILES];
static struct sample sample;

static int make_files(void **state)
{
	static char content[BYTES];
	char path[128];

	if (!mkdtemp(directory))
		return -1;
	for (unsigned int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%u", directory, i);
		file[i] = open(path, O_RDWR | O_CREAT, 0600);
		if (write(file[i], content, BYTES) != (ssize_t)BYTES || fsync(file[i]))
			return -1;
	}
	root = open(directory, O_PATH | O_DIRECTORY);
	return root < 0 ? -1 : 0;
}

static int remove_files(void **state)
{
	char command[128];

	for (unsigned int i = 0; i < FILES; i++)
		close(file[i]);
	close(root);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

static void begin(void)
{
	struct stream random = stream_make(5, 6, 7);

	if (sample_possible())
		skip();
	sample_begin(&sample, root, &random);
	assert_in_range(sample.count, FILES, SAMPLE_FILES);
}

static void drop_cache(void)
{
	for (unsigned int i = 0; i < FILES; i++)
		assert_int_equal(posix_fadvise(file[i], 0, 0, POSIX_FADV_DONTNEED), 0);
}

static void read_again(void)
{
	static char content[BYTES];

	for (unsigned int i = 0; i < FILES; i++)
		assert_int_equal(pread(file[i], content, BYTES, 0), BYTES);
}

static void what_stays_has_not_moved(void **state)
{
	struct sample_result r;

	begin();
	sample_end(&sample, &r);
	assert_true(r.files >= FILES && r.pages > r.files);
	assert_true(r.pages <= r.files * SAMPLE_PAGES);
	/* The machine may compact its memory at this moment, but hardly all of this. */
	assert_true(r.moved < r.pages / 4);
}

/* Memory of ours takes the frames that were given up, so the pages come back elsewhere. */
static void another_frame_is_noticed(void **state)
{
	struct sample_result r;
	size_t room = 64 * FILES * BYTES;
	char *taken;

	begin();
	drop_cache();
	taken = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(taken != MAP_FAILED);
	madvise(taken, room, MADV_NOHUGEPAGE);
	memset(taken, 1, room);
	read_again();
	sample_end(&sample, &r);
	munmap(taken, room);
	assert_true(r.pages > 0);
	assert_true(r.moved > r.pages / 2);
}

static void what_is_not_cached_is_left_alone(void **state)
{
	unsigned char cached[BYTES / 4096];
	struct sample_result r;
	void *map;

	begin();
	drop_cache();
	sample_end(&sample, &r);
	assert_int_equal(r.pages, 0);
	assert_int_equal(r.moved, 0);
	map = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, file[0], 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(mincore(map, BYTES, cached), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cached); i++)
		assert_false(cached[i] & 1); /* looking brought nothing in */
	munmap(map, BYTES);
	read_again();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_has_not_moved),
		cmocka_unit_test(another_frame_is_noticed),
		cmocka_unit_test(what_is_not_cached_is_left_alone),
	};

	return cmocka_run_group_tests_name("sample", tests, make_files, remove_files);
}
