/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words and JSON of what was seen when a wrong place was looked at again. */
#ifndef RECOW_LOOKS_H
#define RECOW_LOOKS_H

#include <jansson.h>

#include "src/finding/finding.h"

const char *look_sight_name(enum look_sight sight); /* "right", "wrong", "unreadable", "not seen" */
const char *look_where_name(enum look_where where); /* "page cache", "direct read", "device" */
const char *fault_name(enum finding_fault fault);   /* "cache", "disk", "both", "none", "unknown" */
const char *fault_words(enum finding_fault fault);  /* "wrong on disk only" */

/* "referenced uptodate dirty lru": what /proc/kpageflags says of a page. Returns buf. */
char *page_flags_show(char *buf, size_t len, uint64_t flags);

/* Members fault, looks, inode, not_on_disk and page of a finding. */
void looks_to_json(const struct finding *f, json_t *j);
void looks_from_json(const json_t *j, struct finding *f);

#endif
