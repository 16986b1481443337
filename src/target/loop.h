/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A loop device that lives as long as its descriptor (and what is mounted from it). */
#ifndef RECOW_LOOP_H
#define RECOW_LOOP_H

#include "src/base/base.h"
#include "src/base/error.h"

struct loop {
	int fd;          /* close it, and unmount, and the device is free again */
	char device[64]; /* "/dev/loop3" */
	bool direct;     /* writes to the image go around the page cache */
};

int loop_attach(const char *image, struct loop *loop, struct error *e);

/* The same, for a file that is only read: the device takes no writes. */
int loop_attach_readonly(const char *image, struct loop *loop, struct error *e);

/* Close and wait (briefly) until the kernel has let go of the image. */
void loop_detach(int fd, const char *device);

#endif
