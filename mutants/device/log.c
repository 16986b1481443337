// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/log.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "mutants/common/chance.h"

int log_open(struct log *l, const char *path, uint64_t image_size)
{
	struct timespec now;
	struct log_header h = {.version = htole32(LOG_VERSION),
			       .header_size = htole32(sizeof(h)),
			       .image_size = htole64(image_size)};

	l->fd = -1;
	l->sequence = 0;
	if (!path)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	memcpy(h.magic, LOG_MAGIC, sizeof(h.magic));
	h.start_ns = htole64((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	l->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (l->fd < 0)
		return -errno;
	if (write(l->fd, &h, sizeof(h)) != (ssize_t)sizeof(h))
		return -EIO;
	return 0;
}

void log_close(struct log *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

int log_write(struct log *l, uint32_t flags, uint64_t offset, uint64_t length, const void *data)
{
	struct log_record r = {.sequence = htole64(l->sequence + 1),
			       .time_ns = htole64((uint64_t)mutant_clock()),
			       .offset = htole64(offset),
			       .length = htole64(length),
			       .flags = htole32(flags)};
	struct iovec parts[] = {{&r, sizeof(r)}, {(void *)data, data ? length : 0}};
	const ssize_t whole = (ssize_t)(parts[0].iov_len + parts[1].iov_len);
	ssize_t done;

	if (l->fd < 0)
		return 0;
	l->sequence++;
	done = writev(l->fd, parts, data ? 2 : 1);
	if (done < 0)
		return -errno;
	return done == whole ? 0 : -ENOSPC;
}
