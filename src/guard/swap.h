/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap on a compressed RAM disk (Documentation/admin-guide/blockdev/zram.rst). Called in a hand: swapping off
 * takes as long as reading everything back does, and a signal ends it.
 */
#ifndef RECOW_SWAP_H
#define RECOW_SWAP_H

/* Where a disk's size is set. */
#define SWAP_SIZE_PATH "/sys/block/%.15s/disksize"

/* Is the disk ("zram0") there and not set up? Returns 0; EBUSY when it is in use, or an errno. */
int swap_idle(const char *device);

/* Give it its size (bytes, as text) and swap on it. Returns 0 or an errno; ENOPKG without mkswap. */
int swap_on(const char *device, const char *bytes);

/* Swap off and reset the disk to what swap_idle() found. Returns 0 or an errno; 0 if it is idle already. */
int swap_off(const char *device);

#endif
