/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings that an injector holds at a value of its own while it acts, and lets go when it rests. What the
 * machine refuses is named once on the timeline and left alone; the rest goes on.
 */
#ifndef RECOW_SETTING_H
#define RECOW_SETTING_H

#include "injectors/injector.h"

struct setting {
	const char *path, *value;
	char found[32]; /* before the first phase */
	bool refused;
};

/* Look up what is there now; a file that can't be read is refused. */
void settings_find(struct injection *in, struct setting *s, size_t count);

void settings_hold(struct injection *in, struct setting *s, size_t count);
void settings_let_go(struct injection *in, struct setting *s, size_t count);

#endif
