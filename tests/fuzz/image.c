/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole image, shrunk to what is in it: pieces of a number (4 bytes, little-endian) and 4096 bytes, which
 * lie at 4096 * number; all else is zero. Checksums are made right, since a fuzzer guesses none, for as many
 * blocks as have the superblock's fsid.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/audit/audit.h"
#include "tests/fuzz/fuzz.h"
#include "verify/btrfs/checksum.h"

#define PIECE 4096U
#define IMAGE (128 * MiB)

static void found(void *context, const struct audit_finding *f)
{
	volatile size_t *sum = context;

	*sum += strnlen(f->text, sizeof(f->text)) + strnlen(f->path, sizeof(f->path));
}

/* With nodes of one piece that is all of them; larger ones keep the checksum that the input has. */
static void seal(unsigned char *piece, uint64_t place, const unsigned char *fsid)
{
	bool super = place == 64 * KiB || place == 64 * MiB;

	if (super || (fsid && memcmp(piece + HEADER_FSID, fsid, BTRFS_UUID) == 0))
		csum_make(CSUM_CRC32C, piece + BTRFS_CSUM, PIECE - BTRFS_CSUM, piece);
}

static int build(const uint8_t *data, size_t size)
{
	const unsigned char *fsid = NULL;
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, IMAGE))
		abort();
	for (; size >= 4 + PIECE; data += 4 + PIECE, size -= 4 + PIECE) {
		uint64_t place = (uint64_t)le32_at(data) % (IMAGE / PIECE) * PIECE;
		unsigned char piece[PIECE];

		memcpy(piece, data + 4, PIECE);
		if (place == 64 * KiB)
			fsid = data + 4 + HEADER_FSID;
		seal(piece, place, fsid);
		if (pwrite(fd, piece, PIECE, (off_t)place) != PIECE)
			abort();
	}
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t sum = 0;
	const struct audit_options o = {
		.threads = 1, .data = true, .scan = true, .no_queue = true, .context = &sum, .found = found};
	struct audit_result r;
	struct error e;
	int fd = build(data, size);
	char path[32];
	const char *paths[] = {path};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	audit_run(paths, 1, &o, &r, &e);
	close(fd);
	return 0;
}
