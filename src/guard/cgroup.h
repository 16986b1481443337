/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where churn's memory cgroup is to be: page cache is charged to the cgroup of the process that filled it, so
 * a cgroup of its own tells the target's pages from all others.
 */
#ifndef RECOW_CGROUP_H
#define RECOW_CGROUP_H

#include <stddef.h>

/* The path of a cgroup directory to be made for `name`: below the own cgroup of the v1 memory hierarchy; with
 * v2 below the nearest ancestor whose children have the memory controller, since a v2 cgroup that holds
 * processes can't have children with controllers (the root can). Where not even the root has switched it on
 * for its children, `control` is the file into which "+memory" is to be written first; else it is empty.
 * Returns 0; ENOTSUP when there is no memory controller to be had. */
int cgroup_choose(const char *name, char *path, size_t len, char *control, size_t control_len);

/* Move the calling process in. Returns 0 or an errno. */
int cgroup_enter(const char *path);

#endif
