/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long pages stay dirty: the dirty_* settings of /proc/sys/vm. */
#ifndef RECOW_DIRTY_H
#define RECOW_DIRTY_H

#include "injectors/injector.h"

enum dirty_mode {
	DIRTY_FOUND,   /* as it was when the run began */
	DIRTY_HOLD,    /* nothing is written for five minutes, or until 60 % of what is available is dirty */
	DIRTY_AT_ONCE, /* a page is written as soon as possible, at the latest after a second */
};

struct dirty_knobs;

/* Look at the settings; what can't be read is noted and left alone. NULL: no memory. */
struct dirty_knobs *dirty_look(struct injection *in);

/* Change them, through the door. What is refused is noted once and left alone from then on. */
void dirty_set(struct injection *in, struct dirty_knobs *k, enum dirty_mode mode);

void dirty_free(struct dirty_knobs *k);

#endif
