/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/journal/record.h"

#include "src/content/hash.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "journals hold records as they lie in memory");

uint32_t journal_record_check(const struct journal_record *r)
{
	struct journal_record copy = *r;

	copy.check = 0;
	return (uint32_t)hash_bytes(&copy, sizeof(copy));
}
