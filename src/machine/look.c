/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at the machine: no change, no door. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/machine/machine.h"

#define MEMORY_DIR "/sys/devices/system/memory"

int machine_read(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	ssize_t got;

	if (fd < 0)
		return -1;
	do {
		got = read(fd, buf, len - 1);
	} while (got < 0 && errno == EINTR);
	err = errno;
	close(fd);
	errno = err;
	if (got < 0)
		return -1;
	buf[got] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/* Keep only the word in brackets, where there is one. */
static void pick_chosen(char *value)
{
	char *open = strchr(value, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return;
	*close = '\0';
	memmove(value, open + 1, strlen(open + 1) + 1);
}

int machine_read_setting(const char *path, char *buf, size_t len)
{
	static const char oom[] = "oom_kill_disable ";

	if (machine_read(path, buf, len))
		return -1;
	pick_chosen(buf);
	if (!strncmp(buf, oom, sizeof(oom) - 1))
		memmove(buf, buf + sizeof(oom) - 1, strlen(buf + sizeof(oom) - 1) + 1);
	return 0;
}

/* The number behind `name` in a file of "name number" lines. Rest of the name must be `end` ("" or ":"). */
static uint64_t look_up(const char *path, const char *name, const char *end)
{
	FILE *file = fopen(path, "re");
	size_t len = strlen(name), end_len = strlen(end);
	uint64_t value = 0;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, len) || strncmp(line + len, end, end_len) ||
		    !isspace((unsigned char)line[len + end_len]))
			continue;
		value = strtoull(line + len + end_len, NULL, 10);
		break;
	}
	fclose(file);
	return value;
}

uint64_t machine_counter(const char *path, const char *name)
{
	return look_up(path, name, "");
}

uint64_t machine_vmstat(const char *name)
{
	return machine_counter("/proc/vmstat", name);
}

uint64_t machine_meminfo_kib(const char *name)
{
	return look_up("/proc/meminfo", name, ":");
}

size_t machine_list(const char *path, unsigned int *out, size_t room)
{
	char text[4096], *at = text;
	size_t count = 0;

	if (machine_read(path, text, sizeof(text)))
		return 0;
	while (isdigit((unsigned char)*at)) {
		unsigned long first = strtoul(at, &at, 10), last = first;

		if (*at == '-')
			last = strtoul(at + 1, &at, 10);
		for (; first <= last && count < room; first++)
			out[count++] = (unsigned int)first;
		at += *at == ',';
	}
	return count;
}

static bool look_at_block(struct memory_block *block, unsigned int number)
{
	char path[128], state[32];

	*block = (struct memory_block){.number = number};
	snprintf(path, sizeof(path), MEMORY_DIR "/memory%u/state", number);
	if (machine_read(path, state, sizeof(state)))
		return false;
	snprintf(path, sizeof(path), MEMORY_DIR "/memory%u/valid_zones", number);
	if (machine_read(path, block->zones, sizeof(block->zones)))
		block->zones[0] = '\0';
	/* "going-offline" is still online: the kernel may yet give it up. */
	block->online = strcmp(state, "offline") != 0;
	if (block->online)
		snprintf(block->zone, sizeof(block->zone), "%.*s", (int)strcspn(block->zones, " "),
			 block->zones);
	return true;
}

static int by_number(const void *a, const void *b)
{
	const struct memory_block *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

size_t machine_memory_blocks(struct memory_block *out, size_t room)
{
	DIR *dir = opendir(MEMORY_DIR);
	struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return 0;
	while (count < room && (entry = readdir(dir))) {
		char *end;
		unsigned long number;

		if (strncmp(entry->d_name, "memory", 6) || !isdigit((unsigned char)entry->d_name[6]))
			continue;
		number = strtoul(entry->d_name + 6, &end, 10);
		if (!*end && look_at_block(&out[count], (unsigned int)number))
			count++;
	}
	closedir(dir);
	qsort(out, count, sizeof(*out), by_number);
	return count;
}

uint64_t machine_memory_block_size(void)
{
	char text[32];

	if (machine_read(MEMORY_DIR "/block_size_bytes", text, sizeof(text)))
		return 0;
	return strtoull(text, NULL, 16);
}
