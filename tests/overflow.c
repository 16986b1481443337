/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes one byte behind an allocation: a sanitizer build that lets this pass is blind (clang's ASan beside
 * jemalloc). */
#include <stdlib.h>

/* Apart from the allocation, so that only ASan can know its size: UBSan would see it in one function and stop
 * the program first. */
static __attribute__((noinline)) void write_at(volatile char *bytes, int at)
{
	bytes[at] = 1;
}

int main(int argc, char **argv)
{
	volatile char *bytes = malloc(16);

	(void)argv;
	write_at(bytes, 15 + argc);
	free((void *)bytes);
	return 0;
}
