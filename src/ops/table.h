/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the table of operations; each is defined beside its four functions. */
#ifndef RECOW_OPS_TABLE_H
#define RECOW_OPS_TABLE_H

#include "src/ops/op.h"

/* Numbers in journals: never reused, never changed. */
enum op_id {
	OP_CREATE = 1,
	OP_MKDIR = 2,
	OP_UNLINK = 3,
	OP_RMDIR = 4,
	OP_RENAME = 5,
	OP_RENAME_OVER = 6,
	OP_LINK = 7,
	OP_SYMLINK = 8,
	OP_TRUNCATE = 9,
	OP_WRITE = 10,
	OP_APPEND = 11,
	OP_READ = 12,
	OP_CHMOD = 13,
	OP_CHOWN = 14,
	OP_UTIMENSAT = 15,
	OP_SETXATTR = 16,
	OP_REMOVEXATTR = 17,
	OP_FSYNC = 18,
	OP_FDATASYNC = 19,
	OP_FALLOCATE = 20,
	OP_FALLOCATE_KEEP = 21,
	OP_PUNCH = 22,
	OP_ZERO_RANGE = 23,
	OP_CLONE = 24,
	OP_CLONE_RANGE = 25,
	OP_COPY_RANGE = 26,
	OP_EXCHANGE = 30,
	OP_NOREPLACE = 31,
	OP_WHITEOUT = 32,
	OP_TMPFILE = 33,
	OP_LINKAT = 34,
	OP_ORPHAN = 35,
	OP_RELEASE = 36,
	OP_MMAP_WRITE = 40,
	OP_MMAP_READ = 41,
	OP_MSYNC = 42,
	OP_AIO_WRITE = 43,
	OP_AIO_READ = 44,
	OP_SHARED_WRITE = 45,
	OP_SHARED_STORE = 46,
	OP_SHARED_READ = 47,
	OP_SHARED_SYNC = 48,
	OP_SNAPSHOT = 50,
	OP_SNAPSHOT_DELETE = 51,
	OP_SUBVOL_CREATE = 52,
	OP_SUBVOL_DELETE = 53,
	OP_SNAPSHOT_SWITCH = 54,
};

extern const struct op op_create, op_mkdir, op_unlink, op_rmdir, op_rename, op_rename_over, op_link,
	op_symlink;
extern const struct op op_truncate, op_write, op_append, op_read;
extern const struct op op_chmod, op_chown, op_utimensat, op_setxattr, op_removexattr;
extern const struct op op_fallocate, op_fallocate_keep, op_punch, op_zero_range;
extern const struct op op_clone, op_clone_range, op_copy_range;
extern const struct op op_fsync, op_fdatasync;
extern const struct op op_exchange, op_noreplace, op_whiteout;
extern const struct op op_tmpfile, op_linkat, op_orphan, op_release;
extern const struct op op_mmap_write, op_mmap_read, op_msync;
extern const struct op op_aio_write, op_aio_read;
extern const struct op op_shared_write, op_shared_store, op_shared_read, op_shared_sync;
extern const struct op op_snapshot, op_snapshot_switch, op_snapshot_delete, op_subvol_create,
	op_subvol_delete;

#endif
