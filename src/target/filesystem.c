/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/target/filesystem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "src/base/program.h"
#include "src/base/units.h"

/* Minima: mkfs.btrfs takes about 110 MiB, but leaves hardly a data chunk then; mkfs.xfs refuses below 300
 * MiB; ext4 and f2fs would take less than a churn needs. nodiscard: discarding frees the evidence that an
 * image is kept for (loop mounts of btrfs default to discard=async). */
static const struct filesystem known[] = {
	{"btrfs", "btrfs-progs", {"-f", "-q"}, "noatime,nodiscard", 256 * MiB, false},
	{"ext4", "e2fsprogs", {"-F", "-q"}, "noatime,nodiscard", 64 * MiB, true},
	{"ext3", "e2fsprogs", {"-F", "-q"}, "noatime", 64 * MiB, true},
	{"ext2", "e2fsprogs", {"-F", "-q"}, "noatime", 64 * MiB, true},
	{"xfs", "xfsprogs", {"-f", "-q"}, "noatime,nodiscard", 300 * MiB, true},
	{"f2fs", "f2fs-tools", {"-f", "-q"}, "noatime,nodiscard", 128 * MiB, true},
	{"bcachefs", "bcachefs-tools", {"-f", "-q"}, "noatime", 256 * MiB, false},
};

static const struct filesystem generic = {.name = "", .mount_options = "noatime", .minimum = 64 * MiB};

const struct filesystem *filesystem_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return &generic;
}

bool filesystem_maps_to_device(const char *name)
{
	return filesystem_find(name)->maps_to_device;
}

/* Is there a line of the file in which `text` stands? */
static bool file_mentions(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (file && !found && getline(&line, &room, file) >= 0)
		found = strstr(line, text) != NULL;
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* /proc/filesystems: "nodev\tNAME\n" or "\tNAME\n". A module that is not loaded yet is not there; mount(2)
 * loads it. */
static bool kernel_can_mount(const char *name)
{
	char text[64], path[256];
	struct utsname kernel;

	snprintf(text, sizeof(text), "\t%s\n", name);
	if (file_mentions("/proc/filesystems", text))
		return true;
	uname(&kernel);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", kernel.release);
	snprintf(text, sizeof(text), "/%s.ko", name);
	return file_mentions(path, text);
}

static int error_unknown(const char *name, struct error *e)
{
	const char *names[ARRAY_SIZE(known)], *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		names[i] = known[i].name;
	nearest = nearest_word(name, names, ARRAY_SIZE(known));
	if (nearest)
		return error_set(e, EXIT_USAGE, "unknown filesystem '%s' (did you mean %s?)", name, nearest);
	return error_set(e, EXIT_USAGE,
			 "unknown filesystem '%s': neither this kernel nor an installed mkfs.%s knows it",
			 name, name);
}

int filesystem_available(const char *name, bool mkfs, struct error *e)
{
	const struct filesystem *fs = filesystem_find(name);
	bool mountable = kernel_can_mount(name);
	char program[64], path[4096];

	snprintf(program, sizeof(program), "mkfs.%s", name);
	if (!*fs->name && !mountable && !program_find(path, sizeof(path), program))
		return error_unknown(name, e);
	if (!mountable)
		return error_set(
			e, EXIT_CANNOT,
			"this kernel cannot mount %s: it is not in /proc/filesystems and there is no module",
			name);
	if (!mkfs || program_find(path, sizeof(path), program))
		return 0;
	if (fs->package)
		return error_set(e, EXIT_CANNOT, "%s is not installed (apt-get install %s)", program,
				 fs->package);
	return error_set(e, EXIT_CANNOT, "%s is not installed: %s cannot be made here", program, name);
}

static int run_mkfs(const char *const *argv, const char *log, struct error *e)
{
	struct program p = {.argv = argv, .log = log};
	struct program_end end;
	char said[600];

	if (program_run(&p, &end, e) < 0)
		return -1;
	if (end.exited && end.status == 0)
		return 0;
	program_excerpt(said, sizeof(said), log, end.log);
	if (end.signal)
		return error_set(e, EXIT_CANNOT, "%s was killed by signal %d: %s", argv[0], end.signal, said);
	return error_set(e, EXIT_CANNOT, "%s failed (exit status %d): %s", argv[0], end.status, said);
}

int filesystem_make(const char *name, const char *options, const char *device, const char *log,
		    struct error *e)
{
	const struct filesystem *fs = filesystem_find(name);
	char **extra = words_split(options, e);
	size_t n = 0, count = 0;
	const char **argv;
	char program[64];
	int rc;

	if (!extra)
		return error_context(e, "mkfs options");
	while (extra[count])
		count++;
	argv = calloc(count + ARRAY_SIZE(fs->mkfs) + 3, sizeof(*argv));
	if (!argv) {
		free(extra);
		return error_set(e, EXIT_HARNESS, "out of memory");
	}
	snprintf(program, sizeof(program), "mkfs.%s", name);
	argv[n++] = program;
	for (size_t i = 0; i < ARRAY_SIZE(fs->mkfs) && fs->mkfs[i]; i++)
		argv[n++] = fs->mkfs[i];
	for (size_t i = 0; i < count; i++)
		argv[n++] = extra[i];
	argv[n] = device;
	rc = run_mkfs(argv, log, e);
	free(argv);
	free(extra);
	return rc;
}
