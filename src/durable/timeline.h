/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What RUN/timeline.jsonl tells of what must be there: when all was synced, and when the target was made to
 * fail. */
#ifndef RECOW_DURABLE_TIMELINE_H
#define RECOW_DURABLE_TIMELINE_H

#include "src/base/base.h"

/* In ns since the start of the run; 0: there was none. */
struct told_times {
	uint64_t whole; /* when the last sync or freeze of the whole target by an injector or the guard began
			   that was over before it failed */
	uint64_t failing; /* when it was said that the target is made to fail: what is synced later is not
			     sure to be on disk, since the kernel tells an error once, and a device that fails
			     may say nothing */
	uint64_t failed;  /* when it had failed: what was begun later and refused has left nothing */
};

struct told_times timeline_times(const char *run);

#endif
