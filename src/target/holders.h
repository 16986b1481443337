/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECOW_HOLDERS_H
#define RECOW_HOLDERS_H

#include <stddef.h>

/* Which processes have something open under `path` (as seen through /proc): "recow (123) cwd, cat (45) fd 3",
 * "" if none is seen. Returns buf. */
char *holders_of(const char *path, char *buf, size_t len);

#endif
