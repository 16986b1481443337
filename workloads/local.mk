# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/churn.c \
	%D%/logtree.c \
	%D%/rewrite.c \
	%D%/snapshot.c \
	%D%/subvolume.c \
	%D%/workload.c \
	%D%/workload.h
