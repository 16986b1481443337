/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs see: names, attributes, and contents through the page cache. */
#include "verify/data.h"
#include "verify/tree.h"

static int hot_run(struct verification *v, struct error *e)
{
	struct check c;
	int ret;

	check_start(&c, v, "hot", SEEN_HOT);
	ret = tree_verify(&c, e);
	if (ret == 0)
		ret = data_verify_cached(&c, e);
	check_end(&c);
	return ret;
}

const struct verifier verifier_hot = {
	.name = "hot",
	.summary = "names, attributes, and file contents through the page cache",
	.needs = NEED_NOTHING,
	.when = VERIFY_ROUND,
	.run = hot_run,
};
