# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/address.c \
	%D%/address.h \
	%D%/attributes.c \
	%D%/choose.c \
	%D%/choose.h \
	%D%/data.c \
	%D%/durability.c \
	%D%/judge.c \
	%D%/judge.h \
	%D%/line.c \
	%D%/line.h \
	%D%/names.c \
	%D%/op.h \
	%D%/read.c \
	%D%/rename.c \
	%D%/snapshot.c \
	%D%/subvolume.c \
	%D%/table.c \
	%D%/table.h
