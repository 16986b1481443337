/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device-mapper device below the target (src/target/mapping.h) does, and its way back. Called in a
 * hand; `what`: the device's name.
 */
#ifndef RECOW_TABLE_H
#define RECOW_TABLE_H

#include "src/machine/machine.h"

/* As undo_kind.note, .undo, .show, .by_hand of the kind "table"; `old`: the table that it had. Undoing it
 * also ends a hold. */
int table_note(const char *what, char *old, size_t len);
int table_undo(const char *what, const char *old);
void table_show(const char *what, const char *old, char *buf, size_t len);
void table_by_hand(const char *what, const char *old, char *buf, size_t len);

/* The same of the kind "mapping": the device itself, which was not there before. */
int mapping_undo(const char *what, const char *old);
void mapping_show(const char *what, const char *old, char *buf, size_t len);
void mapping_by_hand(const char *what, const char *old, char *buf, size_t len);

/* Make it so. `plain`: the table that it had before all changes; "": it has it still. A hold ends when its
 * time is over, or when the other end of `socket` is gone: whoever holds must let go. Returns 0 or an errno.
 */
int table_make(const char *what, const char *plain, const struct machine_way *way, int socket);

/* The table `plain`, made over for `way`: pure. Returns 0; EINVAL when it is none that passes everything on
 * to one place. */
int table_for(const char *plain, const struct machine_way *way, char *table, size_t len);

/* "held for 50 ms", "delays: reads 20 ms, writes 5 ms". Returns buf. */
char *table_describe(const struct machine_way *way, char *buf, size_t len);

#endif
