/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An independent comparison of a directory tree with a model: plain POSIX calls, no code of the verifiers. */
#ifndef RECOW_TESTS_TREE_WALK_H
#define RECOW_TESTS_TREE_WALK_H

#include "src/ops/op.h"

struct tree_walk {
	int target; /* descriptor of the directory with the anchors */
	const struct model_view *view;
	const struct op_ctx *holder; /* has the descriptors of files without a name */
	uint64_t names, bytes, held; /* compared */
	const char
		*snapshot; /* of the worker's own subvolume: look there, for what is below it; NULL: at all */
	uint64_t differences;
	char first[8192]; /* the first difference, for people */
	/* private */
	struct expected_name *expected;
	size_t count;
	struct object_seen *seen;
};

/* Compare everything of one worker. Other workers must not have names there. */
void tree_walk(struct tree_walk *t);

#endif
