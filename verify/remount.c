/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left after unmount and mount: names, attributes and contents with nothing of the old cache. */
#include "verify/data.h"
#include "verify/tree.h"

static int remount_run(struct verification *v, struct error *e)
{
	struct check c;
	int ret;

	check_start(&c, v, "remount", SEEN_FRESH);
	ret = tree_verify(&c, e);
	if (ret == 0)
		ret = data_verify_cached(&c, e);
	check_end(&c);
	return ret;
}

const struct verifier verifier_remount = {
	.name = "remount",
	.summary = "names, attributes and contents again after unmount and mount",
	.needs = NEED_OWN_TARGET,
	.when = VERIFY_REMOUNTED,
	.run = remount_run,
};
