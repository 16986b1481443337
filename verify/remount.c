/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left after unmount and mount: names, attributes and contents with nothing of the old cache. */
#include "src/base/clock.h"
#include "verify/data.h"
#include "verify/tree.h"

static int remount_run(struct verification *v, struct error *e)
{
	uint64_t start = clock_mono();
	struct check c;
	int ret;

	check_start(&c, v, "remount", SEEN_FRESH);
	ret = tree_verify(&c, e);
	if (ret == 0)
		ret = data_verify_cached(&c, e);
	check_end(&c);
	v->counters->time_ns += clock_mono() - start;
	return ret;
}

const struct verifier verifier_remount = {
	.name = "remount",
	.summary = "names, attributes and contents again after unmount and mount",
	.needs = NEED_OWN_TARGET,
	.when = VERIFY_REMOUNTED,
	.run = remount_run,
};
