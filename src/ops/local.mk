# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/address.c \
	%D%/address.h \
	%D%/allocate.c \
	%D%/attributes.c \
	%D%/choose.c \
	%D%/choose.h \
	%D%/clone.c \
	%D%/data.c \
	%D%/direct.c \
	%D%/direct.h \
	%D%/durability.c \
	%D%/held.c \
	%D%/held.h \
	%D%/guarded.c \
	%D%/guarded.h \
	%D%/judge.c \
	%D%/judge.h \
	%D%/line.c \
	%D%/line.h \
	%D%/mapped.c \
	%D%/names.c \
	%D%/op.h \
	%D%/read.c \
	%D%/read.h \
	%D%/rename.c \
	%D%/resolve.c \
	%D%/resolve.h \
	%D%/rename.h \
	%D%/rename_flags.c \
	%D%/shared.c \
	%D%/snapshot.c \
	%D%/subvolume.c \
	%D%/table.c \
	%D%/table.h \
	%D%/window.c \
	%D%/window.h
