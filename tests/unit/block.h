/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that take a real memory block offline. */
#ifndef RECOW_TEST_BLOCK_H
#define RECOW_TEST_BLOCK_H

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/guard/write.h"
#include "src/machine/machine.h"
#include "tests/unit/unit.h"

static inline void on_alarm(int signal)
{
}

/* The kernel tries until a signal comes: where a page stays pinned, one comes after some seconds. */
static inline int take_offline(const char *path)
{
	struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
	int err;

	sigaction(SIGALRM, &action, NULL);
	alarm(3);
	err = write_value(path, "offline");
	alarm(0);
	return err;
}

/* A DMA32 block that can go offline here, and comes back with its zone: none at an edge; -1 if the machine
 * has none. */
static inline int find_block(void)
{
	struct memory_block block[64];
	size_t count = machine_memory_blocks(block, ARRAY_SIZE(block));
	char path[96];

	for (size_t i = 3; i < count; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%u/state", block[i].number);
		if (strcmp(block[i].zone, "DMA32") || take_offline(path))
			continue;
		assert_int_equal(write_value(path, "online_kernel"), 0);
		return (int)block[i].number;
	}
	return -1;
}

#endif
