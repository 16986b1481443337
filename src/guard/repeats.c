/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/repeats.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "src/content/hash.h"

/* Length of the number that `at` begins with: decimal, or hexadecimal with 0x. 0: it is none. */
static size_t number_length(const char *at)
{
	if (at[0] == '0' && at[1] == 'x')
		return 2 + strspn(at + 2, "0123456789abcdef");
	return strspn(at, "0123456789");
}

/* The text with a # for each number that is a word of its own ("ino 257", not "loop0"). */
static uint64_t key_of_line(const char *text)
{
	char bare[sizeof(((struct finding *)NULL)->detail)];
	size_t used = 0;

	while (*text && used < sizeof(bare)) {
		bool inside = used && (isalnum((unsigned char)bare[used - 1]) || bare[used - 1] == '_');
		size_t number = inside ? 0 : number_length(text);

		bare[used++] = number ? '#' : *text;
		text += MAX(number, 1U);
	}
	return hash_bytes(bare, used);
}

static uint64_t key_of_answer(const struct finding *f)
{
	const bool once = f->class == FINDING_EROFS || f->class == FINDING_TARGET;
	char text[128];

	if (once)
		snprintf(text, sizeof(text), "%s", finding_class_name(f->class));
	else
		snprintf(text, sizeof(text), "%s %d %u %u %llu", f->verifier, (int)f->class, f->worker,
			 f->object, (unsigned long long)f->offset);
	return hash_bytes(text, strlen(text));
}

bool repeats_count(struct repeats *r, const struct finding *f)
{
	uint64_t key;

	if (f->place == SEEN_LOG)
		key = key_of_line(f->detail);
	else if (f->place == SEEN_CHURN || f->class == FINDING_TARGET)
		key = key_of_answer(f);
	else
		return false;
	if (r->round != f->round) {
		r->round = f->round;
		r->count = 0;
	}
	for (unsigned int i = 0; i < r->count; i++) {
		if (r->key[i] == key) {
			r->left_out++;
			return true;
		}
	}
	if (r->count < REPEATS_MAX)
		r->key[r->count++] = key;
	return false;
}
