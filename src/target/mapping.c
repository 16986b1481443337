/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/target/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdevmapper.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/target/target.h"

/* Of the UUIDs: the device is always asked for by this, so that one of the same name is nobody's mistake. */
#define OURS "RECOW-"

#define PAUSE      (20 * NSEC_PER_MSEC)
#define LET_GO_MAX (2 * NSEC_PER_SEC)

bool mapping_possible(void)
{
	FILE *file = fopen("/proc/misc", "re");
	char line[128], name[64];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*d %63s", name) == 1 && !strcmp(name, "device-mapper");
	if (file)
		fclose(file);
	return found;
}

char *mapping_name(char *buf, size_t len, const char *dir)
{
	char name[256];

	/* Cut, so that the UUID, which is as long at most, has room for it too. */
	snprintf(buf, len, "%.*s", (int)(MAPPING_NAME - sizeof(OURS)),
		 target_subdir_name(name, sizeof(name), dir));
	return buf;
}

/* ---- one request to the kernel ---- */

/* The library would print; what went wrong is in the errno. */
__attribute__((format(printf, 5, 6))) static void silent(int level, const char *file, int line, int err,
							 const char *fmt, ...)
{
}

static struct dm_task *task(int type, const char *name)
{
	char uuid[MAPPING_NAME + sizeof(OURS)];
	struct dm_task *t;

	dm_log_with_errno_init(silent);
	dm_udev_set_sync_support(0); /* no waiting for daemons: there are no links whose names matter */
	snprintf(uuid, sizeof(uuid), OURS "%s", name);
	t = dm_task_create(type);
	if (t && !dm_task_set_uuid(t, uuid)) {
		dm_task_destroy(t);
		t = NULL;
	}
	return t;
}

/* The kernel's answer; the task is over. */
static int answer(struct dm_task *t, bool done)
{
	int err = done ? 0 : EIO;

	if (!done && t && dm_task_get_errno(t))
		err = dm_task_get_errno(t);
	if (t)
		dm_task_destroy(t);
	else
		err = ENODEV; /* no control device to ask */
	dm_lib_release();
	return err;
}

static int simple(int type, const char *name)
{
	struct dm_task *t = task(type, name);

	return answer(t, t && dm_task_run(t));
}

int mapping_remove(const char *name)
{
	return simple(DM_DEVICE_REMOVE, name);
}

void mapping_let_go(int fd, const char *device)
{
	uint64_t deadline = clock_mono() + LET_GO_MAX;
	char path[128];

	close(fd);
	snprintf(path, sizeof(path), "/sys/block/%s", device + strlen("/dev/"));
	while (access(path, F_OK) == 0 && clock_mono() < deadline)
		sleep_ns(PAUSE);
}

/* ---- what it does ---- */

int mapping_read(const char *name, char *table, size_t len)
{
	struct dm_task *t = task(DM_DEVICE_TABLE, name);
	char *type = NULL, *params = NULL;
	uint64_t start = 0, length = 0;
	struct dm_info info = {0};
	bool done = t && dm_task_run(t) && dm_task_get_info(t, &info);
	int err;

	if (done && info.exists) {
		dm_get_next_target(t, NULL, &start, &length, &type, &params);
		snprintf(table, len, "%" PRIu64 " %" PRIu64 " %s %s", start, length, type ? type : "",
			 params ? params : "");
	}
	err = answer(t, done);
	return err ? err : info.exists ? 0 : ENXIO;
}

static int load(const char *name, const char *table)
{
	struct dm_task *t = NULL;
	uint64_t start, length;
	char type[32];
	int at = 0;

	if (sscanf(table, "%" SCNu64 " %" SCNu64 " %31s %n", &start, &length, type, &at) != 3 || !at)
		return EINVAL;
	t = task(DM_DEVICE_RELOAD, name);
	return answer(t, t && dm_task_add_target(t, start, length, type, table + at) && dm_task_run(t));
}

/* Without lockfs: freezing the filesystem has one owner, the guard. */
int mapping_hold(const char *name)
{
	struct dm_task *t = task(DM_DEVICE_SUSPEND, name);

	return answer(t, t && dm_task_skip_lockfs(t) && dm_task_no_flush(t) && dm_task_run(t));
}

int mapping_go_on(const char *name)
{
	struct dm_task *t = task(DM_DEVICE_RESUME, name);

	/* The node that the library would make in /dev/mapper would stay behind. */
	return answer(t, t && dm_task_set_add_node(t, DM_ADD_NODE_ON_CREATE) && dm_task_skip_lockfs(t) &&
				 dm_task_no_flush(t) && dm_task_run(t));
}

/* The kernel suspends by itself for the resume of a new table, but would freeze the filesystem for it. */
int mapping_load(const char *name, const char *table)
{
	int on, err = load(name, table);

	if (err)
		return err;
	err = mapping_hold(name);
	on = mapping_go_on(name);
	return err ? err : on;
}

/* ---- making ---- */

/* All of `below`, passed on. */
static int plain_table(const char *below, char *table, size_t len)
{
	int err = 0, fd = open(below, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint64_t size;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) || ioctl(fd, BLKGETSIZE64, &size))
		err = errno;
	else
		snprintf(table, len, "0 %llu linear %u:%u 0", (unsigned long long)(size / 512),
			 major(st.st_rdev), minor(st.st_rdev));
	close(fd);
	return err;
}

/* Step by step: at once, the library would make a node in /dev/mapper, which would stay behind. */
static int create(const char *name, const char *table)
{
	struct dm_task *t = task(DM_DEVICE_CREATE, name);
	int err = answer(t, t && dm_task_set_name(t, name) && dm_task_run(t));

	if (err)
		return err;
	err = load(name, table);
	if (!err)
		err = mapping_go_on(name);
	if (err)
		mapping_remove(name);
	return err;
}

static int find_device(const char *name, char *device, size_t len)
{
	struct dm_task *t = task(DM_DEVICE_INFO, name);
	struct dm_info info = {0};
	int err = answer(t, t && dm_task_run(t) && dm_task_get_info(t, &info));

	if (!err && !info.exists)
		err = ENXIO;
	snprintf(device, len, "/dev/dm-%u", info.minor);
	return err;
}

/* From now on it goes with the last who has it open. */
static int remove_when_free(const char *name)
{
	struct dm_task *t = task(DM_DEVICE_REMOVE, name);

	return answer(t, t && dm_task_deferred_remove(t) && dm_task_run(t));
}

int mapping_make(const char *name, const char *below, char *device, size_t len, struct error *e)
{
	char table[MAPPING_TABLE];
	int fd = -1, err = plain_table(below, table, sizeof(table));

	if (!err)
		err = create(name, table);
	if (err)
		return error_errno(e, EXIT_CANNOT, err, "cannot put a device-mapper device over %s", below);
	err = find_device(name, device, len);
	if (!err) {
		fd = open(device, O_RDONLY | O_CLOEXEC);
		err = fd < 0 ? errno : remove_when_free(name);
	}
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	mapping_remove(name);
	return error_errno(e, EXIT_CANNOT, err, "cannot use the device-mapper device over %s", below);
}
