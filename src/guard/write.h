/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One write to a kernel's file. */
#ifndef RECOW_WRITE_H
#define RECOW_WRITE_H

/* Write `value` in one system call, as the kernel's files want it. Returns 0 or an errno. May block. */
int write_value(const char *path, const char *value);

#endif
