/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of a verifier over the target: what its parts share. Any thread may report through it.
 */
#ifndef RECOW_CHECK_H
#define RECOW_CHECK_H

#include "src/finding/attribute.h"
#include "verify/verifier.h"

/* Findings of one pass that are reported one by one; of the rest the number is told. */
#define CHECK_FINDINGS_MAX 1000U

struct check {
	struct verification *v;
	const char *verifier; /* its name */
	enum finding_place place;
	_Atomic uint32_t emitted;
	_Atomic uint64_t dropped;      /* findings that came after the limit */
	_Atomic uint32_t harness;      /* reports of damaged models; a few are enough */
	_Atomic uint32_t last_dropped; /* class of one of those */
};

/* Whose object it is. */
struct subject {
	const struct model_view *view;
	uint32_t object;
	uint32_t name; /* the name by which it was looked at; NAME_NONE if none */
};

void check_start(struct check *c, struct verification *v, const char *verifier, enum finding_place place);

/* Tell how many findings were not reported, if any. */
void check_end(struct check *c);

bool check_stopped(const struct check *c);

/* Where to look, from v->mount, for what the views call `path` ("" is the top of the target). */
const char *check_place(const struct verification *v, const char *path);

/* Are further findings only counted? Then evidence for them need not be gathered. */
bool check_full(const struct check *c);

/* Hand over a finding; place and verifier are filled in here. */
void check_emit(struct check *c, struct finding *f);

/* Put `text` behind the detail; a long description is cut for it. */
void check_append(struct finding *f, const char *text);

/* A fresh finding about `s`, with its path. Big (dumps): keep it off small stacks. */
void check_finding(struct finding *f, const struct subject *s, enum finding_class class);

/* check_finding and check_emit in one, with `detail` made from fmt. */
void check_report(struct check *c, const struct subject *s, enum finding_class class, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* An attribute of `s` of which nothing is said yet but which it is and what number was found. */
struct attribute_seen check_seen(const struct subject *s, enum finding_attribute which, uint64_t found);

/* check_report() about an attribute; the detail ends in whose value it is, if `a` knows. */
void check_report_attribute(struct check *c, const struct subject *s, const struct attribute_seen *a,
			    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same for a path that no object stands behind (raw bytes, not escaped). */
void check_report_path(struct check *c, const char *dir, const char *name, enum finding_class class,
		       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* recow's own memory is wrong: reported a few times only. */
void check_harness(struct check *c, const struct subject *s, const char *what);

/* The number of the class that an errno of a system call on the target means: EIO and its like are their own.
 */
enum finding_class check_errno_class(int err);

/* Record i of an array is in use or free, but its page is sound. */
bool check_page(const struct model_view *view, const struct array *a, uint32_t i);

#endif
