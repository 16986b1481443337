/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filesystem under test: a throw-away loop image, a block device or image file, or a directory on a
 * mounted filesystem. Everything here may block for as long as the kernel likes: the guard calls none of it.
 */
#ifndef RECOW_TARGET_H
#define RECOW_TARGET_H

#include "src/base/base.h"
#include "src/base/error.h"

enum target_kind { TARGET_AUTO, TARGET_DEVICE, TARGET_IMAGE, TARGET_DIRECTORY };

/* "auto", "device", "image", "directory". */
const char *target_kind_name(enum target_kind kind);
/* False: nothing is called so. */
bool target_kind_of(const char *name, enum target_kind *kind);

/* What the user asked for; part of the plan. */
struct target_spec {
	enum target_kind kind; /* filled in by target_examine() */
	char path[4096];       /* device, image or directory; TARGET_AUTO: empty */
	uint64_t image_size;   /* bytes */
	uint64_t fill;         /* bytes of file data that churn may hold; 0: half of what is free */
	char fs[16];           /* "btrfs", "ext4", "xfs"; "": btrfs where one is made, else what is there */
	char mkfs_options[512];
	char mount_options[512];
	bool mkfs;   /* TARGET_DEVICE, TARGET_IMAGE: format it (given with --yes) */
	bool tmpfs;  /* TARGET_AUTO: the image lies on a tmpfs of its own */
	bool mapped; /* a device-mapper device lies between the filesystem and its device
			(src/target/mapping.h) */
};

struct target {
	struct target_spec spec;
	bool btrfs;
	bool own;         /* can be unmounted: anything but TARGET_DIRECTORY */
	char image[4096]; /* backing file, "" for a device or directory */
	char tmpfs[4096]; /* the tmpfs that is mounted for the image, "" */
	char subdir[256]; /* directory of a filesystem that was there before: all that recow sees of it, "" */
	bool subdir_made; /* by this run: it is to be removed */
	char log[4096];   /* output of mkfs */
	char note[256];   /* what the user should know about it, "" if nothing */
	char device[64];  /* block device that is mounted, "" for a directory */
	char below[64];   /* the device below that one, when it is a mapping; else "" */
	char mountpoint[4096]; /* where it is (to be) mounted; the run's directory for TARGET_DIRECTORY */
	char kernel_name[32];  /* how kernel messages call its device ("loop0", "vda"), "" if it has none */
	int loop;              /* descriptor that keeps the autoclear loop device alive, -1 */
	int mapping;           /* likewise the device-mapper device, -1 */
	uint32_t unmet; /* set of enum need that only the mounted filesystem tells: it doesn't meet these */
	char unmet_reason[96];
};

/* Look at the spec without changing anything: does it exist, is it in use, big enough, what filesystem is on
 * it, are the tools there. Fills kind (from path) and fs, makes path absolute. Errors carry EXIT_CANNOT (what
 * the machine lacks) or EXIT_USAGE (what was asked wrongly). */
int target_examine(struct target_spec *spec, struct error *e);

/* Make the image, attach the loop device, format; for a directory make the run's own directory in it. `spec`
 * has been examined. `dir` is the run directory (image and mount point live in it). The caller has a private
 * mount namespace. After a failure nothing is left behind. */
int target_prepare(struct target *t, const struct target_spec *spec, const char *dir, struct error *e);

/* Mount at t->mountpoint. Of a filesystem that was there before only a directory of its own (recow-RUN) is
 * mounted; the first time it must not exist yet (EXIT_USAGE). Nothing to do for TARGET_DIRECTORY. */
int target_mount(struct target *t, struct error *e);

/* Learn what only the mounted filesystem tells: t->unmet. To be called before anything is made there. Nothing
 * is left of it. */
int target_try_renames(struct target *t, struct error *e);

/* Waits some seconds for users to leave. Fails with EBUSY and who holds it. TARGET_DIRECTORY (not t->own)
 * can't be unmounted: an error. */
int target_unmount(struct target *t, struct error *e);

/* Unmount if need be, detach and remove: the throw-away image goes unless `keep`; when it lay on a tmpfs and
 * is to be kept it is copied (sparse) to RUN/image. The run's directory on a target that was there before
 * goes if this run made it, unless `keep`; the user's own image or device stays as it is. Goes on after an
 * error, reports the first. */
int target_release(struct target *t, bool keep, struct error *e);

/* Remove the directory that a dead run with the run directory `dir` left on a device or image: `spec` says
 * how to mount it (path, fs, mount_options). A directory of that name which is older than `since`
 * (CLOCK_REALTIME, ns) is another run's and stays. Mounts at `dir`/mnt meanwhile: the caller has a private
 * mount namespace. */
int target_remove_left(const struct target_spec *spec, const char *dir, int64_t since, struct error *e);

/* A directory of the target is a btrfs subvolume of its own where that is possible, a plain directory
 * elsewhere. */
int target_make_subvolume(const struct target *t, const char *path, struct error *e);

/* New files in directory `name` below the mount point (a descriptor, O_PATH) are to be nodatacow. Where the
 * filesystem has no such thing, nothing happens. */
int target_make_nocow(int mount, const char *name, struct error *e);
/* btrfs: a snapshot `to` of the subvolume `from`, at once or behind a syncfs; its deletion; and what makes a
 * subvolume read-only. Paths are relative to the directory `at`. 0, or -1 with errno. */
enum snapshot_kind { SNAPSHOT_READONLY, SNAPSHOT_WRITABLE };
int target_snapshot(int at, const char *from, const char *to, enum snapshot_kind kind, bool sync);
int target_snapshot_delete(int at, const char *path);
int target_set_readonly(int at, const char *path);

/* Likewise: make a subvolume (mode 0777 less the umask); it is deleted as a snapshot is, with all that is in
 * it. */
int target_subvolume(int at, const char *path);

/* The name of a run's directory on a filesystem that was there before; `dir` is the run directory. Returns
 * buf. */
char *target_subdir_name(char *buf, size_t len, const char *dir);

/* Remove what lies at `path`, whatever it is: files, directories, btrfs subvolumes. Does not cross into other
 * filesystems. Nothing there is no error. */
int target_remove_tree(const char *path, struct error *e);

/* 0 while the device of a target answers; else with which errno it refuses everything: it is gone. Reads some
 * places past all caches. Of a directory nothing is known: 0. */
int target_refusal(const struct target *t);

/* Where a byte of a file lies. */
struct target_address {
	uint64_t logical; /* FIEMAP's physical: for btrfs an address in its own space */
	bool inline_data, compressed, unwritten, hole;
	bool delayed; /* not allocated on the disk yet */
	unsigned int mirrors;
	struct {
		uint64_t devid, physical; /* byte offset on that device */
	} mirror[4];
};
int target_locate(const struct target *t, int fd, uint64_t offset, struct target_address *out,
		  struct error *e);

/* Bytes of an open file (of `size` bytes) in inline, compressed or otherwise encoded extents: a direct read
 * of them comes through the page cache all the same. What isn't written out yet is not seen. 0 where the
 * filesystem doesn't say. */
uint64_t target_encoded_bytes(const struct target *t, int fd, uint64_t size);

/* Bytes of the own blocks of the filesystem that this descriptor is on (statfs: f_bsize); `most` if they are
 * larger or it doesn't tell. */
uint64_t target_unit(int fd, uint64_t most);

#endif
