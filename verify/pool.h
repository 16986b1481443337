/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads of a verification. */
#ifndef RECOW_VERIFY_POOL_H
#define RECOW_VERIFY_POOL_H

#include "src/base/error.h"

/* Run body(self) on `threads` threads, this one among them, and wait for all. Each takes its work from what
 * `self` points to. When threads can't be made fewer do the work. Returns -1 with the error of one that
 * failed. */
int pool_run(unsigned int threads, int (*body)(void *self, struct error *e), void *self, struct error *e);

#endif
