/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory modules of a virtual machine (src/machine/dimm.h) in the undo log: a module is plugged or unplugged
 * as it was. As undo_kind.note, .undo, .show, .by_hand; `what`: its number; `old`: "plugged" or "unplugged".
 * Called in a hand: unplugging takes as long as the kernel takes to move what is in it. */
#ifndef RECOW_PLUG_H
#define RECOW_PLUG_H

#include <stddef.h>

int plug_note(const char *what, char *old, size_t len);
int plug_undo(const char *what, const char *old);
void plug_show(const char *what, const char *old, char *buf, size_t len);
void plug_by_hand(const char *what, const char *old, char *buf, size_t len);

/* Make it so; `value` as `old`. Returns 0 or an errno. */
int plug_make(const char *what, const char *value);

#endif
