/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/btrfs/checksum.h"

#include <gcrypt.h>
#include <isa-l/crc.h>
#include <pthread.h>
#include <xxhash.h>

static const struct {
	const char *name;
	uint32_t size;
} types[] = {
	[CSUM_CRC32C] = {"crc32c", 4},
	[CSUM_XXHASH64] = {"xxhash64", 8},
	[CSUM_SHA256] = {"sha256", 32},
	[CSUM_BLAKE2B] = {"blake2b", 32},
};

uint32_t csum_size(uint16_t type)
{
	return type < ARRAY_SIZE(types) ? types[type].size : 0;
}

const char *csum_name(uint16_t type)
{
	return type < ARRAY_SIZE(types) ? types[type].name : NULL;
}

/* CRC-32C as a bare register: nothing is inverted before or after. */
static uint32_t crc32c(uint32_t seed, const void *bytes, size_t len)
{
	/* The library takes a pointer that is not const and an int; it writes nothing, blocks are small. */
	return crc32_iscsi((unsigned char *)(uintptr_t)bytes, (int)len, seed);
}

/* libgcrypt wants to be asked for its version before anything else. */
static void wake_gcrypt(void)
{
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static void digest(int algorithm, const void *bytes, size_t len, unsigned char *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, wake_gcrypt);
	gcry_md_hash_buffer(algorithm, out, bytes, len);
}

void csum_make(uint16_t type, const void *bytes, size_t len, unsigned char out[BTRFS_CSUM])
{
	uint32_t crc;
	uint64_t xxh;

	switch ((enum csum_type)type) {
	case CSUM_CRC32C:
		crc = htole32(~crc32c(~0U, bytes, len));
		memcpy(out, &crc, sizeof(crc));
		break;
	case CSUM_XXHASH64:
		xxh = htole64(XXH64(bytes, len, 0));
		memcpy(out, &xxh, sizeof(xxh));
		break;
	case CSUM_SHA256:
		digest(GCRY_MD_SHA256, bytes, len, out);
		break;
	case CSUM_BLAKE2B:
		digest(GCRY_MD_BLAKE2B_256, bytes, len, out);
		break;
	}
}

bool csum_holds(uint16_t type, const unsigned char *block, size_t len)
{
	unsigned char sum[BTRFS_CSUM];

	csum_make(type, block + BTRFS_CSUM, len - BTRFS_CSUM, sum);
	return memcmp(sum, block, csum_size(type)) == 0;
}

uint32_t hash_name(const void *name, size_t len)
{
	return crc32c(~1U, name, len);
}

uint32_t hash_extref(uint64_t parent, const void *name, size_t len)
{
	return crc32c((uint32_t)parent, name, len);
}

uint64_t hash_data_ref(uint64_t root, uint64_t inode, uint64_t offset)
{
	const uint64_t low[] = {htole64(inode), htole64(offset)};
	uint32_t high = crc32c(~0U, &(uint64_t){htole64(root)}, sizeof(uint64_t));

	return ((uint64_t)high << 31) ^ crc32c(crc32c(~0U, &low[0], sizeof(low[0])), &low[1], sizeof(low[1]));
}
