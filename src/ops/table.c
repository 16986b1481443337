/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/ops/table.h"

#include <string.h>

#include "src/ops/address.h"

const struct op *const op_table[] = {
	&op_create,         &op_mkdir,         &op_unlink,     &op_rmdir,           &op_rename,
	&op_rename_over,    &op_link,          &op_symlink,    &op_truncate,        &op_write,
	&op_append,         &op_read,          &op_chmod,      &op_chown,           &op_utimensat,
	&op_setxattr,       &op_removexattr,   &op_fsync,      &op_fdatasync,       &op_fallocate,
	&op_fallocate_keep, &op_punch,         &op_zero_range, &op_clone,           &op_clone_range,
	&op_copy_range,     &op_exchange,      &op_noreplace,  &op_whiteout,        &op_tmpfile,
	&op_linkat,         &op_orphan,        &op_release,    &op_mmap_write,      &op_mmap_read,
	&op_msync,          &op_aio_write,     &op_aio_read,   &op_shared_write,    &op_shared_store,
	&op_shared_read,    &op_shared_sync,   &op_snapshot,   &op_snapshot_switch, &op_snapshot_delete,
	&op_subvol_create,  &op_subvol_delete,
};
const size_t op_count = ARRAY_SIZE(op_table);

const struct op *op_by_name(const char *name)
{
	for (size_t i = 0; i < op_count; i++) {
		if (strcmp(op_table[i]->name, name) == 0)
			return op_table[i];
	}
	return NULL;
}

const struct op *op_by_id(uint16_t id)
{
	for (size_t i = 0; i < op_count; i++) {
		if (op_table[i]->id == id)
			return op_table[i];
	}
	return NULL;
}

uint8_t op_journal_flags(const struct op_ctx *c, const struct op_args *args)
{
	const struct model_view *v = &c->model->head;

	return (uint8_t)((view_is_shared(v, args->dir) ? JOURNAL_SHARED : 0) |
			 (view_is_shared(v, args->dir2) ? JOURNAL_SHARED2 : 0));
}
