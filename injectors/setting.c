/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/setting.h"

#include <errno.h>
#include <string.h>

static void refused(struct injection *in, struct setting *s, const char *what, int err)
{
	s->refused = true;
	inject_note(in, "cannot %s %s: %s; it stays as it is", what, s->path, strerror(err));
}

void settings_find(struct injection *in, struct setting *s, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (machine_read_setting(s[i].path, s[i].found, sizeof(s[i].found)))
			refused(in, &s[i], "read", errno);
	}
}

static void turn(struct injection *in, struct setting *s, const char *value)
{
	int err = s->refused ? 0 : machine_set(in->machine, s->path, value, 0);

	if (err)
		refused(in, s, "set", err);
}

void settings_hold(struct injection *in, struct setting *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		turn(in, &s[i], s[i].value);
}

void settings_let_go(struct injection *in, struct setting *s, size_t count)
{
	for (size_t i = count; i-- > 0;)
		turn(in, &s[i], s[i].found);
}
