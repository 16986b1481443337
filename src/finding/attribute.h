/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wrong attribute: words and JSON of which it is and what its value is, and telling values from bytes. */
#ifndef RECOW_ATTRIBUTE_H
#define RECOW_ATTRIBUTE_H

#include <jansson.h>

#include "src/finding/finding.h"

const char *attribute_name(enum finding_attribute which); /* "size", "mode", ...; "" for none */
const char *value_name(enum finding_value value);         /* "older", "never", ...; "unknown" */

/* As people read it: "mode", "xattr user.recow.3". Returns buf. */
char *attribute_show(char *buf, size_t len, const struct attribute_seen *a);

/* What was found are these bytes: a value of an extended attribute, the target of a symbolic link. */
void attribute_bytes(struct attribute_seen *a, const void *bytes, size_t len);

/* Decide by regenerating whose value of extended attribute a->number these bytes are that were found on
 * `object` of `worker`: an older one of its own, one of another attribute or object, or nobody's. `wanted` is
 * the operation whose value should be there, 0 if there should be none. Values of less than
 * CONTENT_XATTR_TOLD bytes stay unknown: the journal may tell. */
void attribute_judge_xattr(struct attribute_seen *a, uint64_t run, uint32_t worker, uint32_t object,
			   uint64_t wanted, const void *bytes, size_t len);

/* ", an older value, set by operation 17" and its like, for the end of a detail; "" while nothing is known.
 * Returns buf. */
char *attribute_describe(char *buf, size_t len, const struct finding *f);

/* Member "attribute" of a finding; there is none when it isn't about an attribute. */
void attribute_to_json(const struct finding *f, json_t *j);
void attribute_from_json(const json_t *j, struct finding *f);

#endif
