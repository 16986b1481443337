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
	OP_SNAPSHOT = 50,
	OP_SNAPSHOT_DELETE = 51,
	OP_SUBVOL_CREATE = 52,
	OP_SUBVOL_DELETE = 53,
};

extern const struct op op_create, op_mkdir, op_unlink, op_rmdir, op_rename, op_rename_over, op_link,
	op_symlink;
extern const struct op op_truncate, op_write, op_append, op_read;
extern const struct op op_chmod, op_chown, op_utimensat, op_setxattr, op_removexattr;
extern const struct op op_fsync, op_fdatasync;
extern const struct op op_snapshot, op_snapshot_delete, op_subvol_create, op_subvol_delete;

#endif
