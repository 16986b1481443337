/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/inode.h"

static void compare_one(struct check *c, struct links *l, struct inode_room *room, size_t view,
			const struct subject *s)
{
	int fd = c->v->held(c->v, view, s->object);
	struct object o;
	struct stat st;

	if (fd < 0 || !view_object(s->view, s->object, &o)) {
		check_harness(c, s, "the descriptor of object");
		return;
	}
	if (fstat(fd, &st)) {
		check_report(c, s, check_errno_class(errno), "fstat: %s", strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		check_report(c, s, FINDING_ATTRIBUTE, "type: expected a file, found %s",
			     inode_type_name(st.st_mode));
		return;
	}
	links_first(l, view, s->object, &st);
	inode_verify_open(c, room, fd, s, &o, &st);
}

static void compare_view(struct check *c, struct links *l, struct inode_room *room, size_t i)
{
	const struct model_view *view = c->v->views[i];

	for (uint32_t place = 0; place < view->picks[PICK_HELD].live && !check_stopped(c); place++) {
		struct subject s = {.view = view, .name = view_pick(view, PICK_HELD, place)};
		struct name n;

		if (s.name == NAME_NONE || !view_name(view, s.name, &n)) {
			check_harness(c, &(struct subject){view, place, NAME_NONE}, "file without a name");
			continue;
		}
		s.object = n.object;
		compare_one(c, l, room, i, &s);
	}
}

int held_verify(struct check *c, struct links *l, struct error *e)
{
	struct inode_room *room;

	if (!c->v->held)
		return 0;
	room = malloc(sizeof(*room));
	if (!room)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "comparing attributes");
	for (size_t i = 0; i < c->v->view_count; i++)
		compare_view(c, l, room, i);
	free(room);
	return 0;
}
