/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/bound.h"

#include <ctype.h>
#include <dirent.h>
#include <fts.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IRQ_DIR "/proc/irq"

/* ---- tasks ---- */

/* "Cpus_allowed_list:\t1" of a task that has memory of its own; the kernel's own threads are parked and come
 * back. */
static bool task_bound(const char *path, const char *number)
{
	FILE *file = fopen(path, "re");
	char line[4096];
	bool user = false, bound = false;

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		user |= !strncmp(line, "VmSize:", 7);
		bound |= !strncmp(line, "Cpus_allowed_list:\t", 19) && !strcmp(line + 19, number);
	}
	fclose(file);
	return user && bound;
}

static bool thread_bound(const char *process, const char *number)
{
	char path[128];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/task", process);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/status", process, entry->d_name);
		found = isdigit((unsigned char)entry->d_name[0]) && task_bound(path, number);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool some_task_bound(unsigned int cpu, char *why, size_t len)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool found = false;
	char number[16];

	snprintf(number, sizeof(number), "%u", cpu);
	while (dir && !found && (entry = readdir(dir))) {
		found = isdigit((unsigned char)entry->d_name[0]) && thread_bound(entry->d_name, number);
		if (found)
			snprintf(why, len, "process %.20s has a thread that may run nowhere else",
				 entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* ---- cpusets ---- */

/* Where the cpuset controller of cgroup v1 is mounted. */
static bool find_cpusets(char *buf, size_t len)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent entry;
	char room[4096];
	bool found = false;

	if (!mounts)
		return false;
	while (!found && getmntent_r(mounts, &entry, room, sizeof(room))) {
		found = !strcmp(entry.mnt_type, "cgroup") && hasmntopt(&entry, "cpuset");
		if (found)
			snprintf(buf, len, "%s", entry.mnt_dir);
	}
	endmntent(mounts);
	return found;
}

static bool lists(const char *directory, unsigned int cpu)
{
	unsigned int numbers[4096];
	char path[4200];
	size_t count;

	snprintf(path, sizeof(path), "%.4096s/cpuset.cpus", directory);
	count = machine_list(path, numbers, ARRAY_SIZE(numbers));
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] == cpu)
			return true;
	}
	return false;
}

static bool some_cpuset_lists(unsigned int cpu, char *why, size_t len)
{
	char root[4096], *const roots[] = {root, NULL};
	bool found = false;
	FTSENT *entry;
	FTS *tree;

	if (!find_cpusets(root, sizeof(root)))
		return false;
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	while (tree && !found && (entry = fts_read(tree))) {
		found = entry->fts_info == FTS_D && entry->fts_level > 0 && lists(entry->fts_path, cpu);
		if (found)
			snprintf(why, len, "cpuset %.100s would lose it for good", entry->fts_path);
	}
	if (tree)
		fts_close(tree);
	return found;
}

bool bound_for_good(unsigned int cpu, char *why, size_t len)
{
	return some_cpuset_lists(cpu, why, len) || some_task_bound(cpu, why, len);
}

/* ---- interrupts ---- */

static char *affinity_path(char *buf, size_t len, unsigned int interrupt)
{
	snprintf(buf, len, IRQ_DIR "/%u/smp_affinity_list", interrupt);
	return buf;
}

static void bind_all(struct injection *in, unsigned int cpu, const struct bound *b)
{
	char path[64], number[16];

	snprintf(number, sizeof(number), "%u", cpu);
	for (unsigned int i = 0; i < b->count; i++)
		machine_set(in->machine, affinity_path(path, sizeof(path), b->interrupt[i]), number, 0);
}

void bound_note(struct injection *in, unsigned int cpu, struct bound *b)
{
	DIR *dir = opendir(IRQ_DIR);
	struct dirent *entry;

	b->count = 0;
	while (dir && b->count < BOUND_INTERRUPTS && (entry = readdir(dir))) {
		unsigned int interrupt = (unsigned int)strtoul(entry->d_name, NULL, 10), to[2];
		char path[64];

		if (isdigit((unsigned char)entry->d_name[0]) &&
		    machine_list(affinity_path(path, sizeof(path), interrupt), to, 2) == 1 && to[0] == cpu)
			b->interrupt[b->count++] = interrupt;
	}
	if (dir)
		closedir(dir);
	/* Writing what is there already: for the note alone. */
	bind_all(in, cpu, b);
}

void bound_again(struct injection *in, unsigned int cpu, const struct bound *b)
{
	bind_all(in, cpu, b);
}
