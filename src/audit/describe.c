/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "src/audit/audit.h"
#include "src/base/units.h"

static void add_place(char *buf, size_t len, const struct audit_finding *f)
{
	char text[64];

	if (f->tree)
		text_add(buf, len, " %s", tree_show(text, sizeof(text), f->tree));
	if (f->block)
		text_add(buf, len, " %s %" PRIu64, f->level >= 0 ? "block" : "address", f->block);
	if (f->level >= 0)
		text_add(buf, len, " level %d", f->level);
	if (f->slot >= 0)
		text_add(buf, len, " slot %d", f->slot);
	if (f->keyed)
		text_add(buf, len, " %s", key_show(text, sizeof(text), &f->key));
	if (f->device && f->copy)
		text_add(buf, len, " copy %d (%s at %" PRIu64 ")", f->copy, f->device, f->physical);
	else if (f->device)
		text_add(buf, len, " all copies (the first: %s at %" PRIu64 ")", f->device, f->physical);
}

char *audit_describe(char *buf, size_t len, const struct audit_finding *f)
{
	buf[0] = '\0';
	text_add(buf, len, "%s:", rule_name(f->rule));
	add_place(buf, len, f);
	text_add(buf, len, ": %s", f->text);
	return buf;
}
