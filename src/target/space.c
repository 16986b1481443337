/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/target/space.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "src/base/units.h"

/* Beside the image: journals, models and dumps of the run directory. */
#define IMAGE_MARGIN (64 * MiB)
/* An image that is hardly filled stays sparse. Data that was overwritten keeps its place until the commit,
 * and what was freed stays allocated in the image: copies of the data; metadata, the log and chunks that are
 * begun: the margin. */
#define FILL_COPIES 3
#define FILL_MARGIN (2 * GiB)
/* Left to the machine beside an image in memory. */
#define MEMORY_MARGIN (1 * GiB)
/* Below this a churn sees little but ENOSPC. */
#define CHURN_BYTES  (256 * MiB)
#define CHURN_INODES 10000

static int too_little(const char *what, uint64_t need, uint64_t have, const char *remedy, struct error *e)
{
	char n[32], h[32];

	units_show_size(n, sizeof(n), need);
	units_show_size(h, sizeof(h), have);
	return error_set(e, EXIT_CANNOT, "%s: %s needed, %s free; %s", what, n, h, remedy);
}

int space_for_image(const char *path, uint64_t growth, struct error *e)
{
	struct statvfs st;
	uint64_t have;

	if (statvfs(path, &st) < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot look at %s", path);
	have = (uint64_t)st.f_bavail * st.f_frsize;
	if (have >= growth + IMAGE_MARGIN)
		return 0;
	return too_little("no room for the image to grow", growth + IMAGE_MARGIN, have,
			  "use a smaller --image-size or a run directory on a larger filesystem (--output)",
			  e);
}

uint64_t space_of_new_image(const struct target_spec *spec)
{
	return spec->fill ? MIN(spec->image_size, FILL_COPIES * spec->fill + FILL_MARGIN) : spec->image_size;
}

static uint64_t memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	while (file && !kib && fgets(line, sizeof(line), file))
		(void)sscanf(line, "MemAvailable: %llu kB", &kib);
	if (file)
		fclose(file);
	return kib * KiB;
}

int space_for_memory_image(uint64_t size, struct error *e)
{
	uint64_t have = memory_available();

	if (have >= size + MEMORY_MARGIN)
		return 0;
	return too_little("no memory for an image on tmpfs", size + MEMORY_MARGIN, have,
			  "use a smaller --image-size or an image on disk", e);
}

int space_for_churn(const char *path, struct error *e)
{
	struct statvfs st;
	uint64_t have;

	if (statvfs(path, &st) < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot look at %s", path);
	if (st.f_flag & ST_RDONLY)
		return error_set(e, EXIT_USAGE, "%s is on a filesystem that is mounted read-only", path);
	/* Of proc, sysfs and their like; a tmpfs without a limit says the same. */
	if (!st.f_blocks)
		return error_set(
			e, EXIT_USAGE,
			"%s is on a filesystem without a size: it is none for files, or has no limit", path);
	have = (uint64_t)st.f_bavail * st.f_frsize;
	if (have < CHURN_BYTES)
		return too_little("the target is full", CHURN_BYTES, have,
				  "make room or choose another target", e);
	/* Filesystems without a fixed number of inodes say 0 of 0. */
	if (st.f_files && st.f_favail < CHURN_INODES)
		return error_set(e, EXIT_CANNOT, "the target is full: %u free inodes needed, %llu left",
				 CHURN_INODES, (unsigned long long)st.f_favail);
	return 0;
}
