# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/aio.c \
	%D%/churn.c \
	%D%/enospc.c \
	%D%/logtree.c \
	%D%/manyfiles.c \
	%D%/reflink.c \
	%D%/mmap.c \
	%D%/rewrite.c \
	%D%/snapshot.c \
	%D%/subvolume.c \
	%D%/workload.c \
	%D%/workload.h
