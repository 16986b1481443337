# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/check.c \
	%D%/check.h \
	%D%/cold.c \
	%D%/data.c \
	%D%/data.h \
	%D%/files.c \
	%D%/files.h \
	%D%/fsck.c \
	%D%/hot.c \
	%D%/inode.c \
	%D%/inode.h \
	%D%/judge.c \
	%D%/judge.h \
	%D%/kmsg.c \
	%D%/links.c \
	%D%/links.h \
	%D%/listing.c \
	%D%/listing.h \
	%D%/look.c \
	%D%/look.h \
	%D%/pool.c \
	%D%/pool.h \
	%D%/remount.c \
	%D%/resident.c \
	%D%/resident.h \
	%D%/snapshots.c \
	%D%/tree.c \
	%D%/tree.h \
	%D%/verifier.h
