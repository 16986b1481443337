/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guard/leftover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/base/program.h"
#include "src/guard/mounts.h"
#include "src/guard/undo.h"

#define NAME 256

struct leftover {
	int64_t since; /* CLOCK_REALTIME_COARSE, ns: what is older is not the run's */
	char fs[16], options[512];
	char run[4096];
};

/* "SINCE FS OPTIONS RUN" with tabs between. */
int leftover_describe(const struct target_spec *t, const char *run, char *old, size_t len)
{
	int n = snprintf(old, len, "%" PRIu64 "\t%s\t%s\t%s", clock_ns(CLOCK_REALTIME_COARSE), t->fs,
			 t->mount_options, run);

	return n < 0 || (size_t)n >= len ? ENAMETOOLONG : 0;
}

/* The length of the field at *at, which moves on to the next. */
static int take_field(const char **at, const char **field)
{
	size_t n = strcspn(*at, "\t");

	*field = *at;
	*at += n + ((*at)[n] != '\0');
	return (int)n;
}

static int parse(const char *old, struct leftover *l)
{
	const char *at = old, *field;
	int n = take_field(&at, &field);

	if (sscanf(field, "%" SCNd64, &l->since) != 1 || n == 0)
		return EINVAL;
	n = take_field(&at, &field);
	snprintf(l->fs, sizeof(l->fs), "%.*s", n, field);
	n = take_field(&at, &field);
	snprintf(l->options, sizeof(l->options), "%.*s", n, field);
	snprintf(l->run, sizeof(l->run), "%s", at);
	return l->fs[0] && l->run[0] ? 0 : EINVAL;
}

int leftover_undo(const char *what, const char *old)
{
	struct target_spec spec = {0};
	struct error e = {0};
	struct leftover l;
	int err = parse(old, &l);

	if (!err)
		err = mounts_private();
	if (err)
		return err;
	snprintf(spec.path, sizeof(spec.path), "%s", what);
	memcpy(spec.fs, l.fs, sizeof(spec.fs));
	memcpy(spec.mount_options, l.options, sizeof(spec.mount_options));
	if (!target_remove_left(&spec, l.run, l.since, &e))
		return 0;
	return e.err ? e.err : EBUSY; /* what target_examine() refuses without an errno is in use */
}

void leftover_show(const char *what, const char *old, char *buf, size_t len)
{
	struct leftover l = {0};
	char name[NAME];

	parse(old, &l);
	snprintf(buf, len, "directory %s on %s: removed", target_subdir_name(name, sizeof(name), l.run),
		 what);
}

void leftover_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	char name[NAME], path[NAME + 8], quoted[4 * NAME], options[1024] = "", source[UNDO_TEXT];
	struct leftover l = {0};

	parse(old, &l);
	snprintf(path, sizeof(path), "/mnt/%s", target_subdir_name(name, sizeof(name), l.run));
	if (l.options[0])
		shell_quote(options, sizeof(options), l.options);
	snprintf(buf, len, "mount %s%s%s%s /mnt && rm -r %s; umount /mnt", options[0] ? "-o " : "", options,
		 options[0] ? " " : "", shell_quote(source, sizeof(source), what),
		 shell_quote(quoted, sizeof(quoted), path));
}
