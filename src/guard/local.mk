# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/cgroup.c \
	%D%/cgroup.h \
	%D%/clerk.c \
	%D%/count.c \
	%D%/count.h \
	%D%/door.c \
	%D%/family.c \
	%D%/guard.c \
	%D%/guard.h \
	%D%/hand.c \
	%D%/hand.h \
	%D%/hang.c \
	%D%/hang.h \
	%D%/kmsg.c \
	%D%/kmsg.h \
	%D%/lock.c \
	%D%/lock.h \
	%D%/loop.c \
	%D%/mounts.c \
	%D%/mounts.h \
	%D%/outcome.c \
	%D%/outcome.h \
	%D%/restore.c \
	%D%/state.h \
	%D%/tell.c \
	%D%/timeline.c \
	%D%/timeline.h \
	%D%/tracing.c \
	%D%/tracing.h \
	%D%/undo.c \
	%D%/undo.h \
	%D%/undo_kinds.c \
	%D%/undo_log.c \
	%D%/write.c \
	%D%/write.h
