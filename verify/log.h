/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the kernel log and the tables by which verifiers judge them: what is a finding, and what looks
 * like one and is harmless, each with the reason. The first match counts.
 */
#ifndef RECOW_VERIFY_LOG_H
#define RECOW_VERIFY_LOG_H

#include "verify/verifier.h"

/* Who the line speaks of. */
enum log_scope {
	LOG_KERNEL, /* the whole kernel: counts whatever it names */
	LOG_DEVICE, /* a device: counts unless it names another one than the target's */
};

enum log_severity { LOG_FATAL, LOG_ERROR, LOG_WARNING };

struct log_pattern {
	const char *start; /* the line begins so; NULL: any line */
	const char *part;  /* and holds this behind it; NULL: nothing more is asked */
	enum log_severity severity;
	enum log_scope scope;
	enum finding_class class;
	const char *meaning;
};

struct log_harmless {
	const char *start, *part;
	const char *reason;
};

/* The text of a record as read from /dev/kmsg: "prio,seq,usec,flags[,...];text\n KEY=value...". NULL: not a
 * record, or one that a process wrote (its facility is not the kernel's). */
const char *log_text(const char *record, char *buf, size_t len);

bool log_is_harmless(const char *text, const struct log_harmless *table, size_t count);

/* The first pattern that the text matches, or NULL. */
const struct log_pattern *log_find(const char *text, const struct log_pattern *table, size_t count);

/* Does the pattern count on this target? `device` as for struct verifier's line(). */
bool log_concerns(const struct log_pattern *p, const char *text, const char *device);

/* What a line that matched says, as a finding of `verifier`. */
void log_finding(struct finding *f, const struct log_pattern *p, const char *text, const char *verifier);

/* Judge a record for `verifier`: find() names the pattern that its text matches, NULL if it is no finding.
 * `device` as for struct verifier's line(). True: *f is filled in. */
bool log_judge(const char *record, const char *device, const char *verifier,
	       const struct log_pattern *(*find)(const char *text), struct finding *f);

/* mirrors.c: lines about one copy of a block that is bad. */
const struct log_pattern *log_about_mirrors(const char *text);

#endif
