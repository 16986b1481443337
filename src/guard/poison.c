/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formats: Documentation/mm/hwpoison.rst (debugfs hwpoison/unpoison-pfn takes a page frame number),
 * Documentation/ABI/testing/sysfs-memory-page-offline (soft_offline_page takes a physical address).
 */
#include "src/guard/poison.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/guard/undo.h"
#include "src/guard/write.h"
#include "src/machine/machine.h"

#define KPAGEFLAGS "/proc/kpageflags"

/* Frames looked at with one read. */
#define CHUNK 4096U

static int take(uint64_t pfn)
{
	char address[32];

	snprintf(address, sizeof(address), "0x%" PRIx64, pfn * (uint64_t)sysconf(_SC_PAGESIZE));
	return write_value(MACHINE_SOFT_OFFLINE, address);
}

static int give_back(uint64_t pfn)
{
	char number[32];

	snprintf(number, sizeof(number), "0x%" PRIx64, pfn);
	return write_value(MACHINE_UNPOISON, number);
}

int poison_work(void *arg, int socket)
{
	const struct message_pages *m = arg;

	if (access(m->give_back ? MACHINE_UNPOISON : MACHINE_SOFT_OFFLINE, W_OK))
		return errno;
	for (unsigned int i = 0; i < m->count; i++) {
		if (m->give_back)
			give_back(m->pfn[i]);
		else
			take(m->pfn[i]);
	}
	return 0;
}

/* ---- which frames are poisoned ---- */

static bool listed(const char *list, uint64_t pfn)
{
	char *at = (char *)(uintptr_t)list;

	while (*at) {
		char *end;

		if (strtoull(at, &end, 16) == pfn)
			return true;
		if (end == at)
			return false;
		at = end + strspn(end, " ");
	}
	return false;
}

static int append(char *list, size_t len, uint64_t pfn)
{
	size_t used = strlen(list);
	int more = snprintf(list + used, len - used, "%s%" PRIx64, used ? " " : "", pfn);

	if ((size_t)more < len - used)
		return 0;
	list[used] = '\0';
	return EFBIG;
}

/* Call each() for the poisoned frames that are not in `except`, until it returns an errno. */
static int each_poisoned(const char *path, uint64_t first, uint64_t count, const char *except,
			 int (*each)(void *self, uint64_t pfn), void *self)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = fd < 0 ? errno : 0;
	uint64_t flags[CHUNK];

	for (uint64_t done = 0; !err && done < count;) {
		size_t want = MIN(count - done, (uint64_t)CHUNK);
		ssize_t got =
			pread(fd, flags, want * sizeof(flags[0]), (off_t)((first + done) * sizeof(flags[0])));

		if (got != (ssize_t)(want * sizeof(flags[0])))
			err = got < 0 ? errno : EIO;
		for (size_t i = 0; !err && i < want; i++) {
			if (flags[i] >> KPF_HWPOISON & 1 && !listed(except, first + done + i))
				err = each(self, first + done + i);
		}
		done += want;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

struct text {
	char *list;
	size_t len;
};

static int add_to_text(void *self, uint64_t pfn)
{
	const struct text *t = self;

	return append(t->list, t->len, pfn);
}

int poison_list(const char *flags, uint64_t first, uint64_t count, const char *except, char *list, size_t len)
{
	struct text t = {.list = list, .len = len};

	list[0] = '\0';
	return each_poisoned(flags, first, count, except, add_to_text, &t);
}

/* ---- the kind of undo ---- */

static uint64_t frames_of_block(void)
{
	return machine_memory_block_size() / (uint64_t)sysconf(_SC_PAGESIZE);
}

int poison_note(const char *what, char *old, size_t len)
{
	uint64_t frames = frames_of_block();

	if (!frames)
		return ENOENT;
	return poison_list(KPAGEFLAGS, strtoull(what, NULL, 10) * frames, frames, "", old, len);
}

static int unpoison_one(void *self, uint64_t pfn)
{
	return give_back(pfn);
}

int poison_undo(const char *what, const char *old)
{
	uint64_t frames = frames_of_block(), first = strtoull(what, NULL, 10) * frames;
	char left[UNDO_OLD];
	int err = each_poisoned(KPAGEFLAGS, first, frames, old, unpoison_one, NULL);

	if (!err)
		err = poison_list(KPAGEFLAGS, first, frames, old, left, sizeof(left));
	if (err == EFBIG || (!err && left[0]))
		return EAGAIN;
	return err;
}

void poison_show(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "memory block %s: no page taken from use%s%s", what, old[0] ? " but " : "", old);
}

void poison_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len,
		 "modprobe hwpoison-inject; echo PFN > " MACHINE_UNPOISON
		 " for each poisoned page of the block, or restart the machine");
}
