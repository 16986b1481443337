/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes one byte behind an allocation: a sanitizer build that lets this pass is blind (clang's ASan beside
 * jemalloc). */
#include <stdlib.h>

int main(int argc, char **argv)
{
	volatile char *bytes = malloc(16);

	bytes[15 + argc] = 1;
	free((void *)bytes);
	return 0;
}
