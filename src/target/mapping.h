/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device-mapper device between the filesystem and its device: at first it passes everything on, and what it
 * does can be changed below a mounted filesystem. Like an autoclear loop it is gone when nobody holds it any
 * more. Known to the kernel by a name of recow's own, so nobody else's is ever touched.
 *
 * All of it may block for as long as the kernel likes. Functions without an error argument return 0 or an
 * errno; ENXIO: there is no such device.
 */
#ifndef RECOW_MAPPING_H
#define RECOW_MAPPING_H

#include "src/base/base.h"
#include "src/base/error.h"

#define MAPPING_NAME  128 /* with the NUL, as the kernel has it (DM_NAME_LEN) */
#define MAPPING_TABLE 512

/* Has this kernel a device mapper, loaded? (Looking loads no module.) */
bool mapping_possible(void);

/* What the device of a run is called; `dir` is the run directory. Returns buf. */
char *mapping_name(char *buf, size_t len, const char *dir);

/* Make one over the whole of the block device `below`. `device`: where it is ("/dev/dm-0"). Returns a
 * descriptor, which keeps it alive as mounts do; -1: error. */
int mapping_make(const char *name, const char *below, char *device, size_t len, struct error *e);

/* Close the descriptor and wait (briefly) until the kernel has let go of it and of what is below. */
void mapping_let_go(int fd, const char *device);

/* Remove it now; EBUSY while somebody has it open. */
int mapping_remove(const char *name);

/* Its one line of a table as dmsetup shows it: "0 4194304 linear 7:0 0". */
int mapping_read(const char *name, char *table, size_t len);

/* Another table in its place. Requests wait meanwhile; one that is held goes on. */
int mapping_load(const char *name, const char *table);

/* Requests wait from now on, and nothing comes back but what was sent already. The filesystem is not frozen.
 */
int mapping_hold(const char *name);
int mapping_go_on(const char *name);

#endif
