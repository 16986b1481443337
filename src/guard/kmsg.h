/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel log from the start of the run on, into RUN/kmsg.log. */
#ifndef RECOW_KMSG_H
#define RECOW_KMSG_H

#include "src/base/base.h"
#include "src/base/error.h"

#define KMSG_RECORD 8192U /* CONSOLE_EXT_LOG_MAX: the longest record that a read returns */

struct kmsg {
	int device; /* -1: not readable */
	int copy;
};

/* Open at the present end of the log. -1: no log, *e says why; the run goes on without. */
int kmsg_open(struct kmsg *k, const char *run, struct error *e);

enum kmsg_read { KMSG_NONE, KMSG_RECORD_READ, KMSG_LOST };

/* The next record as the kernel gives it ("prio,seq,usec,flags;text"), copied to the file. LOST: the kernel
 * overwrote some before they were read. Never waits. */
enum kmsg_read kmsg_next(struct kmsg *k, char record[KMSG_RECORD + 1]);

void kmsg_close(struct kmsg *k);

#endif
