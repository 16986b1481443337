/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/plug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/machine/dimm.h"

int plug_note(const char *what, char *old, size_t len)
{
	struct dimm all[DIMMS_MAX];
	unsigned long number = strtoul(what, NULL, 10);
	size_t count;
	int err = dimm_list(DIMM_PORT, all, DIMMS_MAX, &count);

	if (err)
		return err;
	if (number >= count)
		return ENODEV;
	snprintf(old, len, "%s", all[number].plugged ? "plugged" : "unplugged");
	return 0;
}

int plug_make(const char *what, const char *value)
{
	return dimm_change(DIMM_PORT, (unsigned int)strtoul(what, NULL, 10), !strcmp(value, "plugged"),
			   DIMM_LIMIT);
}

int plug_undo(const char *what, const char *old)
{
	return plug_make(what, old);
}

void plug_show(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "DIMM %s: %s", what, old);
}

void plug_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "echo 0 %s %s > " DIMM_PORT, strcmp(old, "plugged") ? "unplug" : "plug", what);
}
