/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Content that is spoiled on its way to the image, or from it.
 */
#ifndef MUTANTS_SPOIL_H
#define MUTANTS_SPOIL_H

#include "mutants/device/device.h"

/* Do the write or read of the attempt with the content that the mutant makes. Bytes done, -errno, or NOT_NOW:
 * what it makes would change nothing. */
ssize_t spoil_write(struct device *d, struct attempt *a);
ssize_t spoil_read(struct device *d, struct attempt *a, void *data);

/* Store what the request has before and behind the attempt. 0 or -errno. */
int store_rest(struct device *d, const struct attempt *a);

#endif
