// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recow-mutant-device: an image as a disk that has one bug.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mutants/common/settings.h"
#include "mutants/device/device.h"
#include "mutants/device/log.h"
#include "mutants/device/mutant.h"
#include "mutants/device/serve.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2
#define EXIT_CANNOT 3

#define FUSE_DEVICE "/dev/fuse"

static int complain(int status, const char *what, const char *path, int err)
{
	fprintf(stderr, "%s %s: %s\n", what, path, strerror(err));
	return status;
}

static int replay_usage(void)
{
	fputs("usage: recow-mutant-device --replay LOG [--upto N] IMAGE\n"
	      "Do on IMAGE, a copy of what was served, what the log says: all of it, or up to and with flush "
	      "N.\n",
	      stderr);
	return EXIT_USAGE;
}

static int replay(const char *log, uint64_t upto, const char *path)
{
	const int image = open(path, O_RDWR | O_CLOEXEC);
	uint64_t flushes, records;
	int err;

	if (image < 0)
		return complain(EXIT_USAGE, "cannot open the image", path, errno);
	err = log_replay(log, image, upto, &flushes, &records);
	if (!err && fsync(image))
		err = -errno;
	close(image);
	if (err == -EBADMSG)
		fprintf(stderr, "%s is no write log of this version\n", log);
	else if (err == -ENODATA)
		fprintf(stderr, "%s has only %llu flushes; all of it was replayed\n", log,
			(unsigned long long)flushes);
	else if (err == -EFBIG)
		fprintf(stderr, "%s is smaller than the image that %s was written for\n", path, log);
	else if (err)
		return complain(err == -ENOENT ? EXIT_USAGE : EXIT_FAILED, "cannot replay", log, -err);
	if (err)
		return EXIT_USAGE;
	printf("%llu records, %llu flushes\n", (unsigned long long)records, (unsigned long long)flushes);
	return 0;
}

/* --replay LOG [--upto N] IMAGE */
static int replay_main(int argc, char **argv)
{
	uint64_t upto = UINT64_MAX;
	char *end;

	if (argc == 6 && !strcmp(argv[3], "--upto") && argv[4][0] >= '0' && argv[4][0] <= '9') {
		errno = 0;
		upto = strtoull(argv[4], &end, 10);
		if (errno || *end)
			return replay_usage();
	} else if (argc != 4) {
		return replay_usage();
	}
	return replay(argv[2], upto, argv[argc - 1]);
}

static enum scope read_scope(const char *name)
{
	if (!strcmp(name, "data"))
		return SCOPE_DATA;
	return !strcmp(name, "metadata") ? SCOPE_METADATA : SCOPE_ANY;
}

/* What FUSE would complain about in its own words. 0 or an exit code. */
static int check_mount(const struct settings *s)
{
	struct stat st;

	if (access(FUSE_DEVICE, R_OK | W_OK)) {
		complain(EXIT_CANNOT, "cannot use", FUSE_DEVICE, errno);
		fputs("FUSE is needed: `modprobe fuse`, or a kernel with CONFIG_FUSE_FS; and root\n", stderr);
		return EXIT_CANNOT;
	}
	if (stat(s->mount, &st))
		return complain(EXIT_USAGE, "cannot mount on", s->mount, errno);
	if (!S_ISREG(st.st_mode) || st.st_size) {
		fprintf(stderr, "cannot mount on %s: not an empty file\n", s->mount);
		return EXIT_USAGE;
	}
	return 0;
}

static void tell_start(struct device *d, const struct settings *s)
{
	const struct chance *c = &s->chance;

	truth_write(&d->truth, "start", 0,
		    json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:I}", "backing", s->backing, "mount",
			      s->mount, "seed", (json_int_t)c->seed, "one_in", (json_int_t)c->one_in, "limit",
			      (json_int_t)c->limit, "from_ns", (json_int_t)c->from_ns, "until_ns",
			      (json_int_t)c->until_ns, "scope", s->scope, "size", (json_int_t)d->size));
}

static int run(struct device *d, const struct settings *s)
{
	int err;

	d->size = (uint64_t)lseek(d->backing, 0, SEEK_END);
	err = log_open(&d->log, s->log, d->size);
	if (err)
		return complain(EXIT_USAGE, "cannot begin the log", s->log, -err);
	err = truth_open(&d->truth, s->truth, s->mutant);
	if (err)
		return complain(EXIT_USAGE, "cannot open", s->truth, -err);
	tell_start(d, s);
	err = device_start(d);
	if (!err)
		err = mutant_lock_memory();
	if (!err)
		err = serve(d, s->mount);
	device_end(d);
	return err ? complain(EXIT_FAILED, "cannot serve", s->backing, -err) : 0;
}

static int open_and_run(const struct settings *s, const struct mutant *mutant)
{
	struct device d = {.mutant = mutant,
			   .backing = open(s->backing, O_RDWR | O_CLOEXEC),
			   .chance = s->chance,
			   .scope = read_scope(s->scope),
			   .log.fd = -1,
			   .truth.fd = -1};
	int status;

	if (d.backing < 0)
		return complain(EXIT_USAGE, "cannot open the image", s->backing, errno);
	status = run(&d, s);
	truth_close(&d.truth);
	log_close(&d.log);
	close(d.backing);
	return status;
}

int main(int argc, char **argv)
{
	const struct about **abouts;
	const struct mutant *mutant = NULL;
	struct settings s;
	int status;

	if (argc > 1 && !strcmp(argv[1], "--replay"))
		return replay_main(argc, argv);
	abouts = calloc(device_mutant_count, sizeof(void *));
	if (!abouts)
		return EXIT_FAILED;
	for (size_t i = 0; i < device_mutant_count; i++)
		abouts[i] = &device_mutants[i]->about;
	status = settings_read(&s, argc, argv, true, abouts, device_mutant_count);
	for (size_t i = 0; !status && !s.list && i < device_mutant_count; i++)
		if (abouts[i] == about_find(s.mutant, abouts, device_mutant_count))
			mutant = device_mutants[i];
	free(abouts);
	if (!mutant)
		return status;
	status = check_mount(&s);
	return status ? status : open_and_run(&s, mutant);
}
