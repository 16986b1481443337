/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames that were taken from use by soft offline, and how they are given back. Noted is a memory block:
 * which of its frames were poisoned before. So the undo log stays small however many pages are taken, and
 * what memory errors took before the run stays taken.
 */
#ifndef RECOW_POISON_H
#define RECOW_POISON_H

#include <stddef.h>

#include "src/guard/hand.h"
#include "src/machine/messages.h"

/* A hand_work; arg: struct message_pages. Soft-offlines or unpoisons each of them. Returns 0, or the errno
 * when the kernel has no such file. What single pages answer is not an error. */
hand_work poison_work;

/* As undo_kind.note, .undo, .show, .by_hand; `what`: number of the memory block; `old`: page frame numbers in
 * hexadecimal, separated by spaces, that were poisoned before. */
int poison_note(const char *what, char *old, size_t len);
int poison_undo(const char *what, const char *old);
void poison_show(const char *what, const char *old, char *buf, size_t len);
void poison_by_hand(const char *what, const char *old, char *buf, size_t len);

/* Fill `list` with the poisoned ones of `count` page frames from `first`, as text as `old` has it, without
 * those that are in `except`. `flags`: /proc/kpageflags. Returns 0; EFBIG when they don't fit; an errno. */
int poison_list(const char *flags, uint64_t first, uint64_t count, const char *except, char *list,
		size_t len);

#endif
