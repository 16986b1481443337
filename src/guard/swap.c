/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/swap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>

#include "src/base/program.h"
#include "src/guard/write.h"
#include "src/machine/machine.h"

static int read_size(const char *device, char *size, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), SWAP_SIZE_PATH, device);
	return machine_read(path, size, len) ? errno : 0;
}

int swap_idle(const char *device)
{
	char size[32];
	int err = read_size(device, size, sizeof(size));

	if (err)
		return err;
	return strcmp(size, "0") ? EBUSY : 0;
}

static int make_header(const char *node)
{
	const char *const argv[] = {"mkswap", node, NULL};
	const struct program mkswap = {.argv = argv};
	struct program_end end;
	struct error e;

	if (program_run(&mkswap, &end, &e))
		return ENOPKG;
	return end.exited && !end.status ? 0 : EIO;
}

int swap_on(const char *device, const char *bytes)
{
	char path[128], node[64];
	int err;

	snprintf(node, sizeof(node), "/dev/%s", device);
	snprintf(path, sizeof(path), SWAP_SIZE_PATH, device);
	err = write_value(path, bytes);
	if (!err)
		err = make_header(node);
	if (!err && swapon(node, 0))
		err = errno;
	return err;
}

int swap_off(const char *device)
{
	char path[128], node[64];
	int err = swap_idle(device);

	if (err != EBUSY)
		return err == ENOENT ? 0 : err;
	snprintf(node, sizeof(node), "/dev/%s", device);
	/* EINVAL: it was not swapped on. */
	if (swapoff(node) && errno != EINVAL)
		return errno;
	snprintf(path, sizeof(path), "/sys/block/%s/reset", device);
	err = write_value(path, "1");
	return err ? err : swap_idle(device);
}
