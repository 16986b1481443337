/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be undone. To add a kind: its functions, and a row in undo_kinds[]. They run in a hand, whose
 * parent has noted the old state before anything is changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/program.h"
#include "src/guard/leftover.h"
#include "src/guard/mounts.h"
#include "src/guard/plug.h"
#include "src/guard/poison.h"
#include "src/guard/swap.h"
#include "src/guard/table.h"
#include "src/guard/thaw.h"
#include "src/guard/tracing.h"
#include "src/guard/undo.h"
#include "src/guard/write.h"
#include "src/machine/dimm.h"
#include "src/machine/machine.h"
#include "src/target/target.h"

/* ---- set: a setting in a file ---- */

static int note_setting(const char *what, char *old, size_t len)
{
	struct stat st;

	if (stat(what, &st))
		return errno;
	if (!(st.st_mode & 0444))
		return ENODATA;
	if (machine_read_setting(what, old, len))
		return errno;
	return strlen(old) + 1 == len ? EFBIG : 0;
}

static int undo_setting(const char *what, const char *old)
{
	char now[UNDO_OLD];
	int err;

	/* The kernel brings some back by itself, and lets nobody else: interrupts that it manages. */
	if (!note_setting(what, now, sizeof(now)) && !strcmp(now, old))
		return 0;
	err = write_value(what, old);
	if (err)
		return err;
	err = note_setting(what, now, sizeof(now));
	if (err)
		return err;
	return strcmp(now, old) ? EAGAIN : 0;
}

static void show_setting(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "%s: %s", what, old);
}

static void command_by_hand(const char *command, const char *path, char *buf, size_t len)
{
	char quoted[UNDO_TEXT];

	snprintf(buf, len, "%s %s", command, shell_quote(quoted, sizeof(quoted), path));
}

static void set_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	char value[UNDO_TEXT], path[UNDO_TEXT];

	snprintf(buf, len, "echo %s > %s", shell_quote(value, sizeof(value), old),
		 shell_quote(path, sizeof(path), what));
}

/* ---- dirty: vm.dirty_ratio and vm.dirty_bytes are one limit; writing either sets the other to 0
 * (Documentation/admin-guide/sysctl/vm.rst), and 0 bytes can't be written back. The same of
 * dirty_background_*. What is noted is the one in force: "ratio 20" or "bytes 1048576". ---- */

#define DIRTY_DIR "/proc/sys/vm/"

static char *dirty_path(char *buf, size_t len, const char *what, const char *unit)
{
	snprintf(buf, len, DIRTY_DIR "%s_%s", what, unit);
	return buf;
}

static int note_dirty(const char *what, char *old, size_t len)
{
	static const char *const units[] = {"bytes", "ratio"};
	char path[128], value[64];

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (machine_read(dirty_path(path, sizeof(path), what, units[i]), value, sizeof(value)))
			return errno;
		snprintf(old, len, "%s %s", units[i], value);
		if (strcmp(value, "0"))
			return 0;
	}
	return 0;
}

static int undo_dirty(const char *what, const char *old)
{
	char path[128], unit[8], value[64], now[UNDO_OLD];
	int err;

	if (sscanf(old, "%7s %63s", unit, value) != 2)
		return EINVAL;
	err = write_value(dirty_path(path, sizeof(path), what, unit), value);
	if (err)
		return err;
	err = note_dirty(what, now, sizeof(now));
	if (err)
		return err;
	return strcmp(now, old) ? EAGAIN : 0;
}

static void show_dirty(const char *what, const char *old, char *buf, size_t len)
{
	size_t unit = strcspn(old, " ");

	snprintf(buf, len, DIRTY_DIR "%s_%.*s:%s", what, (int)unit, old, old + unit);
}

static void dirty_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "echo %s > " DIRTY_DIR "%s_%.*s", old + strcspn(old, " ") + 1, what,
		 (int)strcspn(old, " "), old);
}

/* ---- memory: the state of a memory block, "offline" or "online ZONE" ---- */

#define MEMORY_DIR "/sys/devices/system/memory/"

static int note_memory(const char *what, char *old, size_t len)
{
	char path[128], state[32], zones[64];

	snprintf(path, sizeof(path), MEMORY_DIR "memory%s/state", what);
	if (machine_read(path, state, sizeof(state)))
		return errno;
	if (!strcmp(state, "offline")) {
		snprintf(old, len, "offline");
		return 0;
	}
	snprintf(path, sizeof(path), MEMORY_DIR "memory%s/valid_zones", what);
	if (machine_read(path, zones, sizeof(zones)))
		return errno;
	/* Of an online block the first word is the zone that it is in (sysfs-memory-page-offline ABI). */
	snprintf(old, len, "online %.*s", (int)strcspn(zones, " "), zones);
	return 0;
}

/* The word that brings an offline block back to the noted zone: online_kernel gives the zone that its
 * addresses belong to (DMA32, Normal). */
static const char *online_word(const char *old)
{
	return strcmp(old, "online Movable") ? "online_kernel" : "online_movable";
}

static int undo_memory(const char *what, const char *old)
{
	char path[128], now[UNDO_OLD];
	int err = note_memory(what, now, sizeof(now));

	if (err == ENOENT)
		return 0; /* it went with the module that it was in */
	if (err || !strcmp(now, old))
		return err;
	snprintf(path, sizeof(path), MEMORY_DIR "memory%s/state", what);
	/* The way from one zone to another leads through offline. */
	if (strcmp(now, "offline"))
		err = write_value(path, "offline");
	if (!err && strcmp(old, "offline"))
		err = write_value(path, online_word(old));
	if (err)
		return err;
	err = note_memory(what, now, sizeof(now));
	if (err)
		return err;
	return strcmp(now, old) ? EAGAIN : 0;
}

static void show_memory(const char *what, const char *old, char *buf, size_t len)
{
	if (!strcmp(old, "offline"))
		snprintf(buf, len, "memory block %s: offline", what);
	else
		snprintf(buf, len, "memory block %s: online in zone %s", what, old + strlen("online "));
}

static void memory_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	int used = snprintf(buf, len, "echo offline > " MEMORY_DIR "memory%s/state", what);

	if (strcmp(old, "offline") && used > 0 && (size_t)used < len)
		snprintf(buf + used, len - (size_t)used, "; echo %s > " MEMORY_DIR "memory%s/state",
			 online_word(old), what);
}

/* ---- swap: on a compressed RAM disk that was idle before ---- */

static int note_swap(const char *what, char *old, size_t len)
{
	snprintf(old, len, "idle");
	return swap_idle(what);
}

static int undo_swap(const char *what, const char *old)
{
	return swap_off(what);
}

static void show_swap(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "swap on %s: off", what);
}

static void swap_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "swapoff /dev/%s; echo 1 > /sys/block/%s/reset", what, what);
}

/* ---- control: the memory controller for the children of a cgroup v2, which they did not have before ---- */

#define CONTROLLER "memory"

static int undo_control(const char *what, const char *old)
{
	return write_value(what, "-" CONTROLLER);
}

static void show_control(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "%s: without " CONTROLLER, what);
}

static void control_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	command_by_hand("echo -" CONTROLLER " >", what, buf, len);
}

/* ---- things that a run makes ---- */

static int undo_rmdir(const char *what, const char *old)
{
	return rmdir(what) && errno != ENOENT ? errno : 0;
}

static void show_rmdir(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "directory %s: removed", what);
}

static void rmdir_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	command_by_hand("rmdir", what, buf, len);
}

static int undo_unlink(const char *what, const char *old)
{
	return unlink(what) && errno != ENOENT ? errno : 0;
}

static void show_unlink(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "file %s: removed", what);
}

static void unlink_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	command_by_hand("rm", what, buf, len);
}

static int undo_tree(const char *what, const char *old)
{
	struct error e = {0};

	if (!target_remove_tree(what, &e))
		return 0;
	return e.err ? e.err : EIO;
}

static void show_tree(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "directory %s with all in it: removed", what);
}

static void tree_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	command_by_hand("rm -r", what, buf, len);
}

/* A mount in the run's own mount namespace: it goes with the namespace, and to recow restore it is gone. */
static int undo_mount(const char *what, const char *old)
{
	return mounts_detach(what);
}

static void show_mount(const char *what, const char *old, char *buf, size_t len)
{
	snprintf(buf, len, "mount point %s: unmounted", what);
}

static void umount_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	command_by_hand("umount", what, buf, len);
}

/* ---- freeze: a frozen filesystem; WHAT is its mount point, OLD how it is found without that ---- */

static int undo_freeze(const char *what, const char *old)
{
	return thaw_again(what, old);
}

static void show_freeze(const char *what, const char *old, char *buf, size_t len)
{
	const char *source = old + strcspn(old, "\t");

	source += *source == '\t';
	snprintf(buf, len, "filesystem %.*s at %s: not frozen", (int)strcspn(source, "\t"), source, what);
}

static void freeze_by_hand(const char *what, const char *old, char *buf, size_t len)
{
	const char *source = old + strcspn(old, "\t");
	char path[UNDO_OLD], quoted[UNDO_TEXT];

	source += *source == '\t';
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(source, "\t"), source);
	snprintf(buf, len, "mount %s /mnt; fsfreeze -u /mnt; umount /mnt",
		 shell_quote(quoted, sizeof(quoted), path));
}

static const struct undo_kind undo_kinds[] = {
	{.name = "freeze",
	 .first = true,
	 .gone_with_reboot = true,
	 .attempts = 5,
	 .limit = 5 * NSEC_PER_SEC,
	 .undo = undo_freeze,
	 .show = show_freeze,
	 .by_hand = freeze_by_hand},
	{.name = "table",
	 .first = true,
	 .gone_with_reboot = true,
	 .attempts = 5,
	 .limit = 10 * NSEC_PER_SEC,
	 .note = table_note,
	 .undo = table_undo,
	 .show = table_show,
	 .by_hand = table_by_hand},
	{.name = "set",
	 .gone_with_reboot = true,
	 .attempts = 3,
	 .limit = 3 * NSEC_PER_SEC,
	 .note = note_setting,
	 .undo = undo_setting,
	 .show = show_setting,
	 .by_hand = set_by_hand},
	{.name = "dirty",
	 .gone_with_reboot = true,
	 .attempts = 3,
	 .limit = 3 * NSEC_PER_SEC,
	 .note = note_dirty,
	 .undo = undo_dirty,
	 .show = show_dirty,
	 .by_hand = dirty_by_hand},
	{.name = "memory",
	 .gone_with_reboot = true,
	 .attempts = 5,
	 .limit = 3 * NSEC_PER_SEC,
	 .note = note_memory,
	 .undo = undo_memory,
	 .show = show_memory,
	 .by_hand = memory_by_hand},
	{.name = "dimm",
	 .gone_with_reboot = true,
	 .attempts = 3,
	 .limit = DIMM_LIMIT + NSEC_PER_SEC,
	 .note = plug_note,
	 .undo = plug_undo,
	 .show = plug_show,
	 .by_hand = plug_by_hand},
	{.name = "poison",
	 .gone_with_reboot = true,
	 .attempts = 3,
	 .limit = 10 * NSEC_PER_SEC,
	 .note = poison_note,
	 .undo = poison_undo,
	 .show = poison_show,
	 .by_hand = poison_by_hand},
	{.name = "swap",
	 .gone_with_reboot = true,
	 .attempts = 5,
	 .limit = 15 * NSEC_PER_SEC,
	 .note = note_swap,
	 .undo = undo_swap,
	 .show = show_swap,
	 .by_hand = swap_by_hand},
	{.name = "control",
	 .gone_with_reboot = true,
	 .attempts = 5,
	 .limit = 3 * NSEC_PER_SEC,
	 .undo = undo_control,
	 .show = show_control,
	 .by_hand = control_by_hand},
	{.name = "mapping",
	 .gone_with_reboot = true,
	 .attempts = 5,
	 .limit = 10 * NSEC_PER_SEC,
	 .undo = mapping_undo,
	 .show = mapping_show,
	 .by_hand = mapping_by_hand},
	{.name = "rmdir",
	 .attempts = 5,
	 .limit = 3 * NSEC_PER_SEC,
	 .undo = undo_rmdir,
	 .show = show_rmdir,
	 .by_hand = rmdir_by_hand},
	{.name = "unlink",
	 .attempts = 1,
	 .limit = 5 * NSEC_PER_SEC,
	 .undo = undo_unlink,
	 .show = show_unlink,
	 .by_hand = unlink_by_hand},
	{.name = "tree",
	 .attempts = 1,
	 .limit = 120 * NSEC_PER_SEC,
	 .undo = undo_tree,
	 .show = show_tree,
	 .by_hand = tree_by_hand},
	{.name = "subdir",
	 .attempts = 5,
	 .limit = 120 * NSEC_PER_SEC,
	 .undo = leftover_undo,
	 .show = leftover_show,
	 .by_hand = leftover_by_hand},
	{.name = "umount",
	 .gone_with_reboot = true,
	 .attempts = 1,
	 .limit = 5 * NSEC_PER_SEC,
	 .undo = undo_mount,
	 .show = show_mount,
	 .by_hand = umount_by_hand},
	{.name = "trace",
	 .gone_with_reboot = true,
	 .attempts = 5,
	 .limit = 3 * NSEC_PER_SEC,
	 .undo = tracing_undo_instance,
	 .show = tracing_show_instance,
	 .by_hand = tracing_instance_by_hand},
	{.name = "kprobe",
	 .gone_with_reboot = true,
	 .attempts = 5,
	 .limit = 3 * NSEC_PER_SEC,
	 .undo = tracing_undo_probe,
	 .show = tracing_show_probe,
	 .by_hand = tracing_probe_by_hand},
};

const struct undo_kind *undo_kind_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(undo_kinds); i++) {
		if (!strcmp(undo_kinds[i].name, name))
			return &undo_kinds[i];
	}
	return NULL;
}

const struct undo_kind *undo_kind_of_path(const char *path, const char **what)
{
	static const char *const dirty[] = {"dirty_background", "dirty"};
	char name[128];

	for (size_t i = 0; i < ARRAY_SIZE(dirty); i++) {
		*what = dirty[i];
		if (!strcmp(path, dirty_path(name, sizeof(name), dirty[i], "ratio")) ||
		    !strcmp(path, dirty_path(name, sizeof(name), dirty[i], "bytes")))
			return undo_kind_by_name("dirty");
	}
	*what = path;
	return undo_kind_by_name("set");
}
