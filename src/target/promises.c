/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/target/promises.h"

#include <string.h>

#include "src/base/base.h"

static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len) {
		const bool begins = at == list || strchr(", ", at[-1]);

		if (begins && strchr(",= ", at[len]))
			return true;
	}
	return false;
}

struct promises target_promises(const char *fs, const char *mkfs_options, const char *mount_options)
{
	static const char *const logging[] = {"btrfs", "ext4", "xfs"};
	struct promises p = {0};

	for (size_t i = 0; i < ARRAY_SIZE(logging); i++)
		p.sync_names |= strcmp(fs, logging[i]) == 0;
	if (has_word(mount_options, "nobarrier") || has_word(mount_options, "barrier=0"))
		p.none = "it was mounted without barriers: what was synced may be in the disk's cache";
	if (strcmp(fs, "ext4") == 0 && strstr(mkfs_options, "^has_journal"))
		p.none = "ext4 without a journal promises nothing after a power cut";
	if (has_word(mount_options, "data=writeback"))
		p.none = "data=writeback: files may show what was on the disk before";
	return p;
}
