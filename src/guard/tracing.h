/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run makes in tracefs: an instance of its own (events enabled in it are nobody else's), and return
 * probes on btrfs's migrate hooks where this kernel has kprobe events. Both are noted in the undo log first.
 * Who reads the instance is disturb's tally (src/engine/tally.h). Where tracefs is not mounted it is mounted
 * for the run alone, in its own mount namespace.
 */
#ifndef RECOW_TRACING_H
#define RECOW_TRACING_H

#include "src/guard/state.h"

/* Make them, or say in shared memory what can't be measured here. `may_mount`: this process has a mount
 * namespace of its own. */
void tracing_prepare(struct guard *g, bool may_mount);

/* The undo kinds "trace" (an instance's name) and "kprobe" (GROUP/EVENT), for src/guard/undo_kinds.c. They
 * run in a hand. */
int tracing_undo_instance(const char *what, const char *old);
void tracing_show_instance(const char *what, const char *old, char *buf, size_t len);
void tracing_instance_by_hand(const char *what, const char *old, char *buf, size_t len);
int tracing_undo_probe(const char *what, const char *old);
void tracing_show_probe(const char *what, const char *old, char *buf, size_t len);
void tracing_probe_by_hand(const char *what, const char *old, char *buf, size_t len);

#endif
