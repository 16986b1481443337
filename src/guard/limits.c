/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/limits.h"

#include <errno.h>
#include <sys/resource.h>

#include "src/base/base.h"
#include "src/ops/op.h"

/* The guard keeps two descriptors open for each worker's journal; a worker at most as many at a time, and
 * those of files that have no name. */
#define FILES_PER_WORKER (4U + HELD_MAX)

/* All else: sockets, the kernel log, verifiers with their files and directories in hand. */
#define FILES_BESIDE 512U

int limits_raise(unsigned int workers, struct error *e)
{
	rlim_t needed = (rlim_t)workers * FILES_PER_WORKER + FILES_BESIDE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return error_errno(e, EXIT_CANNOT, errno, "limit on open files");
	if (limit.rlim_cur >= needed)
		return 0;
	if (limit.rlim_max < needed)
		return error_set(
			e, EXIT_CANNOT,
			"%u workers need %llu open files, the hard limit is %llu: raise it (ulimit -Hn) or "
			"take fewer --workers",
			workers, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
	limit.rlim_cur = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return error_errno(e, EXIT_CANNOT, errno, "cannot raise the limit on open files");
	return 0;
}
