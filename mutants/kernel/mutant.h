/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every module here needs: to find a function of the kernel that is not exported, to put another one in
 * its place, to decide by a seed when the bug shows, and to tell how often it did.
 *
 * Parameters of each module (/sys/module/NAME/parameters): one_in, limit, seed, armed; to be read only:
 * chances, fired, first_boottime_ns, first_realtime_ns.
 */
#ifndef MUTANTS_KERNEL_MUTANT_H
#define MUTANTS_KERNEL_MUTANT_H

#include <linux/ftrace.h>
#include <linux/types.h>
#include <linux/version.h>

#define KERNEL_IS(major, minor)                                                                              \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0) &&                                            \
	 LINUX_VERSION_CODE < KERNEL_VERSION(major, (minor) + 1, 0))

/* A function of btrfs that is replaced. The replacement has its type; only what this module calls itself
 * still reaches the real one. */
struct mutant_hook {
	const char *function;
	void *replacement;
	void **original;       /* out; NULL: not wanted */
	struct ftrace_ops ops; /* mutant.c's */
};

/* The address of a function of btrfs, or of the kernel itself; NULL, and a line in the log, where there is
 * none. */
void *mutant_symbol(const char *name);

/* Put the replacements in their places, all or none; 0 or a negative error, which the log explains. There is
 * no way back: somebody may sleep in a replacement for ever, so the modules can't be unloaded; armed=0
 * silences them. */
int mutant_install(struct mutant_hook *hooks, size_t count);

/* The bug could show here: count a chance. True: it is to show; then call exactly one of the next two. Any
 * context. */
bool mutant_draw(void);
/* It did show. */
void mutant_fired(void);
/* It could not show after all; does not count. */
void mutant_missed(void);

#endif
