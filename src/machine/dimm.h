/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory modules that can be plugged and unplugged from outside: the host of a virtual machine (scripts/vm)
 * offers them on a virtio-serial port. One line is asked, one is answered (docs/vm.md, "The port of the
 * DIMMs").
 */
#ifndef RECOW_DIMM_H
#define RECOW_DIMM_H

#include <stddef.h>

#include "src/base/base.h"

#define DIMM_PORT "/dev/virtio-ports/org.recow.dimm"
#define DIMMS_MAX 64U

/* For the kernel to let one go: it migrates all of it first. */
#define DIMM_LIMIT (30 * NSEC_PER_SEC)

struct dimm {
	bool plugged;
	uint64_t start, length; /* physical memory, bytes; start is 0 while it is unplugged */
};

/* Which there are. `port`: DIMM_PORT, but for tests. Returns 0 or an errno; at most `room` are filled in. */
int dimm_list(const char *port, struct dimm *out, size_t room, size_t *count);

/* Plug or unplug number `n`; that it already is so is no error. May block until the guest's kernel has let
 * go, at most `limit_ns`. Returns 0; EBUSY when the kernel keeps it, ETIMEDOUT, ENODEV when there is none of
 * that number, or another errno. */
int dimm_change(const char *port, unsigned int n, bool plugged, uint64_t limit_ns);

#endif
