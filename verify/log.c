/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const char *line, const char *start, const char *part)
{
	size_t length = start ? strlen(start) : 0;

	if (start && strncmp(line, start, length) != 0)
		return false;
	return !part || strstr(line + length, part) != NULL;
}

bool log_is_harmless(const char *text, const struct log_harmless *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (matches(text, table[i].start, table[i].part))
			return true;
	return false;
}

const struct log_pattern *log_find(const char *text, const struct log_pattern *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (matches(text, table[i].start, table[i].part))
			return &table[i];
	return NULL;
}

/* The device that a line names, by the ways in which filesystems and the block layer do it: "(device loop0
 * state EA)", "on device loop0-8.", ", dev loop0,", "XFS (loop0)". False: it names none. */
static bool named_device(const char *line, char *name, size_t len)
{
	static const char *const before[] = {"(device ",
					     "on device ",
					     ", dev ",
					     "on dev ",
					     "FS (",
					     "-fs (",
					     "bcachefs (",
					     "flushing file data on ",
					     "updating journal superblock for ",
					     "/dev/"};
	size_t length = 0;

	for (size_t i = 0; i < ARRAY_SIZE(before) && !length; i++) {
		const char *at = strstr(line, before[i]);

		if (!at)
			continue;
		at += strlen(before[i]);
		if (strncmp(at, "/dev/", 5) == 0)
			at += 5;
		length = strcspn(at, " ,:).");
		snprintf(name, len, "%.*s", (int)length, at);
	}
	return length > 0;
}

/* A partition of the disk, or jbd2's "loop0-8" (device and inode of the journal)? */
static bool continues(const char *whole, const char *rest)
{
	size_t digits;

	if (!isdigit((unsigned char)whole[strlen(whole) - 1]))
		rest += *rest == 'p';
	else if (*rest != 'p')
		return false;
	else
		rest++;
	digits = strspn(rest, "0123456789");
	return digits && rest[digits] == '\0';
}

/* The block layer names the disk where the filesystem names the partition. */
static bool same_device(char *named, const char *device)
{
	char *dash = strrchr(named, '-');
	size_t length;

	if (strcmp(named, device) == 0)
		return true;
	if (dash && strncmp(named, "dm-", 3) != 0)
		*dash = '\0';
	else if (dash && dash != named + 2)
		*dash = '\0'; /* "dm-0-8" */
	length = strlen(named);
	if (!length || strncmp(named, device, length) != 0)
		return false;
	return device[length] == '\0' || continues(named, device + length);
}

const char *log_text(const char *record, char *buf, size_t len)
{
	const char *text = strchr(record, ';');
	char *end;
	unsigned long priority = strtoul(record, &end, 10);

	if (!text || end == record || *end != ',' || end > text || priority >> 3 != 0)
		return NULL;
	text++;
	snprintf(buf, len, "%.*s", (int)strcspn(text, "\n"), text);
	return buf;
}

bool log_concerns(const struct log_pattern *p, const char *text, const char *device)
{
	char named[64];

	/* A target that has no device, or none yet, is nowhere named. */
	return p->scope != LOG_DEVICE || !device || !named_device(text, named, sizeof(named)) ||
	       (*device && same_device(named, device));
}

void log_finding(struct finding *f, const struct log_pattern *p, const char *text, const char *verifier)
{
	static const char *const severity[] = {
		[LOG_FATAL] = "fatal", [LOG_ERROR] = "error", [LOG_WARNING] = "warning"};

	memset(f, 0, sizeof(*f));
	f->class = p->class;
	f->place = SEEN_LOG;
	snprintf(f->verifier, sizeof(f->verifier), "%s", verifier);
	snprintf(f->detail, sizeof(f->detail), "%s: %s: %.400s", severity[p->severity], p->meaning, text);
}

bool log_judge(const char *record, const char *device, const char *verifier,
	       const struct log_pattern *(*find)(const char *text), struct finding *f)
{
	char text[2048];
	const struct log_pattern *p = log_text(record, text, sizeof(text)) ? find(text) : NULL;

	if (!p || !log_concerns(p, text, device))
		return false;
	log_finding(f, p, text, verifier);
	return true;
}
