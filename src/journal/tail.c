/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/journal/tail.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

size_t tail_bytes(unsigned int workers)
{
	return TAIL_HEAD + workers * sizeof(struct journal_ring);
}

static void read_boot(char boot[TAIL_BOOT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, boot, TAIL_BOOT - 1);

	boot[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
}

/* ---- making */

/* The memory of a device has its size, a file gets it. */
static int give_room(int fd, size_t bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < bytes && ftruncate(fd, (off_t)bytes))
		return -1;
	return 0;
}

struct journal_ring *tail_make(const char *path, unsigned int workers, uint64_t run, bool outlives)
{
	struct tail_header head = {
		.magic = TAIL_MAGIC, .workers = workers, .records = RING_RECORDS, .run = run};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unsigned char *at = MAP_FAILED;

	if (fd < 0)
		return NULL;
	/* Filled by the guard, to whose memory it is counted so. */
	if (give_room(fd, tail_bytes(workers)) == 0)
		at = mmap(NULL, tail_bytes(workers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
			  0);
	close(fd);
	if (at == MAP_FAILED)
		return NULL;
	if (!outlives)
		read_boot(head.boot);
	memset(at, 0, TAIL_HEAD);
	for (unsigned int i = 0; i < workers; i++) {
		struct journal_ring *ring = (struct journal_ring *)(at + TAIL_HEAD) + i;

		memset(ring, 0, offsetof(struct journal_ring, records));
	}
	memcpy(at, &head, sizeof(head));
	return (struct journal_ring *)(at + TAIL_HEAD);
}

void tail_unmap(struct journal_ring *first, unsigned int workers)
{
	munmap((unsigned char *)first - TAIL_HEAD, tail_bytes(workers));
}

/* ---- reading */

static bool is_sound(const struct journal_record *r)
{
	return r->check == journal_record_check(r);
}

/* Is this memory what it was when the run ended? */
static bool holds(const struct tail_header *head, uint64_t key, uint32_t worker)
{
	char boot[TAIL_BOOT];

	read_boot(boot);
	return memcmp(head->magic, TAIL_MAGIC, sizeof(head->magic)) == 0 && head->run == key &&
	       worker < head->workers && head->records == RING_RECORDS &&
	       (!head->boot[0] || strncmp(head->boot, boot, sizeof(boot)) == 0);
}

/* Index of the first record that the journal doesn't have; `end` is behind the last. False: the journal's end
 * is not in it. */
static bool find_first(const struct journal_ring *ring, const struct journal_record *last, uint64_t end,
		       uint64_t *first)
{
	const uint64_t begin = end > RING_RECORDS ? end - RING_RECORDS : 0;

	for (*first = end; *first > begin; --*first) {
		if (last && memcmp(&ring->records[(*first - 1) % RING_RECORDS], last, sizeof(*last)) == 0)
			return true;
	}
	return !last && begin == 0;
}

static int take_records(const struct journal_ring *ring, const struct journal_record *last, struct tail *out)
{
	const uint64_t end = atomic_load(&ring->head);
	uint64_t first;

	if (!find_first(ring, last, end, &first))
		return -1;
	out->record = calloc((size_t)(end - first) + 1, sizeof(*out->record));
	if (!out->record)
		return -1;
	for (; first < end; first++) {
		const struct journal_record *r = &ring->records[first % RING_RECORDS];

		if (!is_sound(r)) {
			tail_free(out);
			return -1;
		}
		out->record[out->count++] = *r;
	}
	return 0;
}

/* It was begun, and its record (the last of a batch's) is not there. */
static void take_pending(const struct journal_ring *ring, const struct journal_record *last, struct tail *out)
{
	const struct journal_record *newest = out->count ? &out->record[out->count - 1] : last;
	uint64_t done = newest ? newest->operation : 0;

	if (newest && newest->flags & JOURNAL_MORE)
		done--;
	if (is_sound(&ring->pending) && ring->pending.operation > done)
		out->pending = ring->pending;
}

static bool read_all(int fd, void *buf, size_t len, off_t at)
{
	return pread(fd, buf, len, at) == (ssize_t)len;
}

static int read_ring(int fd, uint64_t key, uint32_t worker, const struct journal_record *last,
		     struct tail *out)
{
	struct journal_ring *ring;
	struct tail_header head;
	int rc = -1;

	if (!read_all(fd, &head, sizeof(head), 0) || !holds(&head, key, worker))
		return -1;
	ring = aligned_alloc(_Alignof(struct journal_ring), sizeof(*ring));
	if (ring && read_all(fd, ring, sizeof(*ring), (off_t)tail_bytes(worker)))
		rc = take_records(ring, last, out);
	if (!rc)
		take_pending(ring, last, out);
	free(ring);
	return rc;
}

int tail_read(const char *run, uint64_t key, uint32_t worker, const struct journal_record *last,
	      struct tail *out)
{
	char path[4096 + 16];
	int fd, rc;

	*out = (struct tail){0};
	snprintf(path, sizeof(path), "%s/%s", run, TAIL_NAME);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = read_ring(fd, key, worker, last, out);
	close(fd);
	return rc;
}

void tail_free(struct tail *t)
{
	free(t->record);
	*t = (struct tail){0};
}
