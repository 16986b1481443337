/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RUN/undo.log on disk: lines of tab-separated fields, C-escaped, the first of them the low half of the
 * XXH3-64 of the rest of the line, in hexadecimal.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include "src/base/units.h"
#include "src/guard/undo.h"
#include "src/machine/machine.h"
#include "src/run/rundir.h"

#define FIELDS     5
#define LINE_BYTES (4 * (4096 + UNDO_OLD) + 128)

static uint32_t line_check(const char *rest)
{
	return (uint32_t)XXH3_64bits(rest, strlen(rest));
}

/* A line that didn't fit is taken back: what follows it would be lost with it. */
static int append_whole(int fd, const char *line, int len)
{
	off_t before = lseek(fd, 0, SEEK_END);
	ssize_t wrote = write(fd, line, (size_t)len);
	int err = wrote < 0 ? errno : ENOSPC;

	if (wrote == len)
		return 0;
	if (wrote > 0 && ftruncate(fd, before))
		return errno;
	return err;
}

/* Append one line with these fields (NULL ends them). One write: a line is whole or cut, never mixed. */
static int append(struct undo_log *log, const char *const *fields)
{
	char rest[LINE_BYTES], line[LINE_BYTES + 16];
	size_t used = 0;
	int len;

	for (; *fields; fields++) {
		if (used)
			rest[used++] = '\t';
		bytes_escape(rest + used, sizeof(rest) - used, *fields, strlen(*fields));
		used += strlen(rest + used);
	}
	len = snprintf(line, sizeof(line), "%08" PRIx32 "\t%s\n", line_check(rest), rest);
	return append_whole(log->fd, line, len);
}

/* When a process was started; 0 when there is none, or it is dead and not yet reaped. */
static uint64_t start_time(pid_t pid)
{
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (machine_read(path, text, sizeof(text)))
		return 0;
	/* proc(5): the command in parentheses may hold anything; starttime is field 22, 20 behind it. */
	at = strrchr(text, ')');
	if (at && (at[2] == 'Z' || at[2] == 'X'))
		return 0;
	for (int i = 0; at && i < 20; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

static void read_boot_id(char *buf, size_t len)
{
	if (machine_read("/proc/sys/kernel/random/boot_id", buf, len))
		buf[0] = '\0';
}

bool undo_alive(const struct undo_log *log)
{
	char boot[sizeof(log->boot)];

	read_boot_id(boot, sizeof(boot));
	return log->guard_start && !strcmp(boot, log->boot) && start_time(log->guard) == log->guard_start;
}

static int sync_directory(const char *run)
{
	int fd = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (fsync(fd))
		err = errno;
	close(fd);
	return err;
}

int undo_create(struct undo_log *log, const char *run, struct error *e)
{
	char pid[16], start[24];
	const char *const head[] = {"recow-undo", "1", log->boot, pid, start, NULL};
	int err;

	*log = (struct undo_log){.guard = getpid()};
	log->guard_start = start_time(log->guard);
	read_boot_id(log->boot, sizeof(log->boot));
	snprintf(pid, sizeof(pid), "%d", (int)log->guard);
	snprintf(start, sizeof(start), "%" PRIu64, log->guard_start);
	rundir_path(log->path, sizeof(log->path), run, "undo.log");
	log->fd = open(log->path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (log->fd < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot make %s", log->path);
	err = append(log, head);
	if (!err)
		err = undo_sync(log);
	if (!err)
		err = sync_directory(run);
	if (err) {
		undo_free(log);
		return error_errno(e, EXIT_CANNOT, err, "cannot write %s", log->path);
	}
	return 0;
}

/* Numbers rise; where a line was damaged, one is missing. */
static unsigned int last_number(const struct undo_log *log)
{
	return log->count ? log->entry[log->count - 1].number : 0;
}

static struct undo_entry *add_entry(struct undo_log *log, const struct undo_kind *kind, const char *what,
				    const char *old)
{
	struct undo_entry *entry;
	char *own_what, *own_old;

	if (log->count == log->room) {
		unsigned int room = log->room ? 2 * log->room : 16;

		entry = reallocarray(log->entry, room, sizeof(*entry));
		if (!entry)
			return NULL;
		log->entry = entry;
		log->room = room;
	}
	own_what = strdup(what);
	own_old = strdup(old);
	if (!own_what || !own_old) {
		free(own_what);
		free(own_old);
		return NULL;
	}
	entry = &log->entry[log->count];
	*entry = (struct undo_entry){
		.number = last_number(log) + 1, .kind = kind, .what = own_what, .old = own_old};
	log->count++;
	return entry;
}

struct undo_entry *undo_find(const struct undo_log *log, const struct undo_kind *kind, const char *what)
{
	for (unsigned int i = 0; i < log->count; i++) {
		struct undo_entry *entry = &log->entry[i];

		if (!entry->done && entry->kind == kind && !strcmp(entry->what, what))
			return entry;
	}
	return NULL;
}

int undo_note(struct undo_log *log, const struct undo_kind *kind, const char *what, const char *old)
{
	char number[16];
	const char *const line[] = {"note", number, kind->name, what, old, NULL};
	int err;

	snprintf(number, sizeof(number), "%u", last_number(log) + 1);
	if (!add_entry(log, kind, what, old))
		return ENOMEM;
	err = append(log, line);
	/* A line that is not whole is followed by nothing good: take the entry back, change nothing. */
	if (err) {
		log->count--;
		free(log->entry[log->count].what);
		free(log->entry[log->count].old);
	}
	return err;
}

int undo_sync(struct undo_log *log)
{
	unsigned int count = log->count;

	if (fdatasync(log->fd))
		return errno;
	log->synced = count;
	return 0;
}

int undo_note_now(struct undo_log *log, const char *kind, const char *what, const char *old)
{
	int err = undo_note(log, undo_kind_by_name(kind), what, old);

	return err ? err : undo_sync(log);
}

int undo_mark(struct undo_log *log, struct undo_entry *entry)
{
	char number[16];
	const char *const line[] = {"done", number, NULL};

	snprintf(number, sizeof(number), "%u", entry->number);
	entry->done = true;
	return append(log, line);
}

int undo_close(struct undo_log *log)
{
	static const char *const line[] = {"closed", NULL};
	int err = append(log, line);

	log->closed = !err;
	return err ? err : undo_sync(log);
}

/* Split a line in place and unescape its fields. Returns how many; 0 when its check doesn't hold. */
static unsigned int split(char *line, char *fields[FIELDS])
{
	unsigned int count = 0;
	char *end;
	unsigned long check = strtoul(line, &end, 16);

	if (end != line + 8 || *end != '\t' || check != line_check(end + 1))
		return 0;
	for (char *at = end + 1; at && count < FIELDS; count++) {
		long len;

		fields[count] = strsep(&at, "\t");
		len = bytes_unescape((unsigned char *)fields[count], strlen(fields[count]), fields[count]);
		if (len < 0)
			return 0;
		fields[count][len] = '\0';
	}
	return count;
}

static bool take_head(struct undo_log *log, char *const *f)
{
	if (strcmp(f[0], "recow-undo") || strcmp(f[1], "1"))
		return false;
	snprintf(log->boot, sizeof(log->boot), "%s", f[2]);
	log->guard = (pid_t)strtol(f[3], NULL, 10);
	log->guard_start = strtoull(f[4], NULL, 10);
	return true;
}

static bool take_note(struct undo_log *log, char *const *f)
{
	const struct undo_kind *kind = undo_kind_by_name(f[2]);
	unsigned long number = strtoul(f[1], NULL, 10);

	if (!kind || number <= last_number(log) || number > UINT_MAX || !add_entry(log, kind, f[3], f[4]))
		return false;
	log->entry[log->count - 1].number = (unsigned int)number;
	return true;
}

/* That of a note which was damaged is left out: what it was about is lost anyway. */
static bool take_done(struct undo_log *log, char *const *f)
{
	unsigned long number = strtoul(f[1], NULL, 10);

	for (unsigned int i = 0; i < log->count; i++) {
		if (log->entry[i].number == number)
			return log->entry[i].done = true;
	}
	return false;
}

static bool take_line(struct undo_log *log, char *line, bool first)
{
	char *f[FIELDS];
	unsigned int count = split(line, f);

	if (first)
		return count == 5 && take_head(log, f);
	if (count == 5 && !strcmp(f[0], "note"))
		return take_note(log, f);
	if (count == 2 && !strcmp(f[0], "done"))
		return take_done(log, f);
	if (count == 1 && !strcmp(f[0], "closed"))
		return log->closed = true;
	return false;
}

static int read_lines(struct undo_log *log, FILE *file, struct error *e)
{
	char *line = NULL;
	size_t room = 0;
	bool first = true, bad = false;
	off_t whole = 0;
	ssize_t len;

	while ((len = getline(&line, &room, file)) > 0) {
		log->damaged += bad; /* the one before was not the last */
		bad = line[len - 1] != '\n';
		if (!bad) {
			line[len - 1] = '\0';
			bad = !take_line(log, line, first);
		}
		if (first && bad)
			break;
		first = false;
		if (!bad)
			whole = ftello(file);
	}
	free(line);
	if (first)
		return error_set(e, EXIT_HARNESS, "%s does not begin as an undo log does", log->path);
	/* What comes next is appended behind the last good line. */
	if (bad && ftruncate(log->fd, whole))
		return error_errno(e, EXIT_HARNESS, errno, "cannot cut the broken last line off %s",
				   log->path);
	return 0;
}

int undo_open(struct undo_log *log, const char *run, struct error *e)
{
	FILE *file;
	int copy, result;

	*log = (struct undo_log){0};
	rundir_path(log->path, sizeof(log->path), run, "undo.log");
	log->fd = open(log->path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (log->fd < 0)
		return error_errno(e, EXIT_USAGE, errno, "cannot open %s", log->path);
	copy = fcntl(log->fd, F_DUPFD_CLOEXEC, 0);
	file = copy < 0 ? NULL : fdopen(copy, "r");
	if (!file) {
		if (copy >= 0)
			close(copy);
		undo_free(log);
		return error_errno(e, EXIT_HARNESS, ENOMEM, "cannot read %s", log->path);
	}
	result = read_lines(log, file, e);
	fclose(file);
	if (result)
		undo_free(log);
	return result;
}

void undo_free(struct undo_log *log)
{
	for (unsigned int i = 0; i < log->count; i++) {
		free(log->entry[i].what);
		free(log->entry[i].old);
	}
	free(log->entry);
	if (log->fd >= 0)
		close(log->fd);
	log->entry = NULL;
	log->count = log->room = 0;
	log->fd = -1;
}
