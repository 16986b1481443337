/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of a block that the kernel found bad, and mended or not: what a reader was given may be right all
 * the same, and then the kernel log is the only witness. The guard asks verifiers of the log in the order of
 * the plan and stops at the first that knows the line: a line is told once, here where this one comes first.
 */
#include "verify/log.h"

static const struct log_pattern patterns[] = {
	{"BTRFS", "csum failed", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "data does not match its checksum"},
	{"BTRFS", "csum hole found", LOG_ERROR, LOG_DEVICE, FINDING_EIO,
	 "data has no checksum where it should"},
	{"BTRFS", "checksum verify failed", LOG_ERROR, LOG_DEVICE, FINDING_EIO,
	 "metadata does not match its checksum"},
	{"BTRFS", "checksum error at", LOG_ERROR, LOG_DEVICE, FINDING_EIO, "a scrub found a wrong checksum"},
	{"BTRFS", "read error corrected", LOG_ERROR, LOG_DEVICE, FINDING_EIO,
	 "one copy was bad and was repaired from another"},
	{"BTRFS", "fixed up error at", LOG_ERROR, LOG_DEVICE, FINDING_EIO,
	 "one copy was bad and was repaired from another"},
	{"BTRFS", "unable to fixup", LOG_ERROR, LOG_DEVICE, FINDING_EIO,
	 "a scrub found what no copy can repair"},
	{"BTRFS warning", "has bad ", LOG_ERROR, LOG_DEVICE, FINDING_KERNEL,
	 "a scrub found a bad tree block"},
};

const struct log_pattern *log_about_mirrors(const char *text)
{
	return log_find(text, patterns, ARRAY_SIZE(patterns));
}

static bool judge_line(const char *record, const char *device, struct finding *f)
{
	return log_judge(record, device, "mirrors", log_about_mirrors, f);
}

const struct verifier verifier_mirrors = {
	.name = "mirrors",
	.summary = "the kernel log: copies of a block that were bad, repaired or not",
	.needs = NEED_KMSG,
	.when = VERIFY_LIVE,
	.line = judge_line,
};
