# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/answers.c \
	%D%/chunk.c \
	%D%/chunk.h \
	%D%/encoded.c \
	%D%/examine.c \
	%D%/filesystem.c \
	%D%/filesystem.h \
	%D%/holders.c \
	%D%/holders.h \
	%D%/image.c \
	%D%/image.h \
	%D%/internal.h \
	%D%/kept.c \
	%D%/kind.c \
	%D%/kept.h \
	%D%/left.c \
	%D%/locate.c \
	%D%/loop.c \
	%D%/loop.h \
	%D%/mapping.c \
	%D%/mapping.h \
	%D%/mount.c \
	%D%/prepare.c \
	%D%/probe.c \
	%D%/probe.h \
	%D%/promises.c \
	%D%/promises.h \
	%D%/renames.c \
	%D%/snapshot.c \
	%D%/space.c \
	%D%/space.h \
	%D%/target.h \
	%D%/tree.c \
	%D%/unit.c
