/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/finding/finding.h"

#include <errno.h>
#include <string.h>

/* FUSE: fs/fuse/dev.c (fuse_abort_conn(): ECONNABORTED to those who wait, ENOTCONN to those who come). */
bool finding_errno_is_gone(int err)
{
	return err == ENOTCONN || err == ECONNABORTED || err == ESHUTDOWN || err == EHOSTDOWN;
}

static const char *const class_names[FINDING_CLASSES] = {
	[FINDING_ZEROES] = "zeroes",       [FINDING_STALE] = "stale",     [FINDING_FOREIGN] = "foreign",
	[FINDING_TORN] = "torn",           [FINDING_FLIPPED] = "flipped", [FINDING_SHIFTED] = "shifted",
	[FINDING_GARBAGE] = "garbage",     [FINDING_MISSING] = "missing", [FINDING_EXTRA] = "extra",
	[FINDING_ATTRIBUTE] = "attribute", [FINDING_ANSWER] = "answer",   [FINDING_EIO] = "eio",
	[FINDING_EROFS] = "erofs",         [FINDING_KERNEL] = "kernel",   [FINDING_HANG] = "hang",
	[FINDING_FSCK] = "fsck",           [FINDING_TARGET] = "target",   [FINDING_HARNESS] = "harness",
};

static const char *const place_names[] = {
	[SEEN_NOWHERE] = "nowhere", [SEEN_HOT] = "hot", [SEEN_COLD] = "cold",       [SEEN_FRESH] = "fresh",
	[SEEN_CHURN] = "churn",     [SEEN_LOG] = "log", [SEEN_OFFLINE] = "offline",
};

const char *finding_class_name(enum finding_class class)
{
	return class < FINDING_CLASSES ? class_names[class] : "as expected";
}

const char *finding_place_name(enum finding_place place)
{
	return place < ARRAY_SIZE(place_names) ? place_names[place] : "unknown";
}

int finding_class_by_name(const char *name)
{
	for (int i = 0; i < FINDING_CLASSES; i++) {
		if (strcmp(name, class_names[i]) == 0)
			return i;
	}
	return -1;
}
