/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One sync of a kind that the random stream draws. */
#ifndef RECOW_FLUSH_H
#define RECOW_FLUSH_H

#include "injectors/injector.h"

/*
 * Sync something of the target: a file, a range of one, a mapping, the whole, or the whole machine. `root`:
 * the target's root, opened for reading. A failed writeback is a finding. Any thread, each with an injection
 * of its own.
 */
enum step flush_drawn(struct injection *in, int root);

#endif
