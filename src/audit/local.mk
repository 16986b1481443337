# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/audit.c \
	%D%/audit.h \
	%D%/cross.c \
	%D%/data.c \
	%D%/describe.c \
	%D%/disks.c \
	%D%/disks.h \
	%D%/facts.c \
	%D%/locate.c \
	%D%/map.c \
	%D%/map.h \
	%D%/names.c \
	%D%/paths.c \
	%D%/reader.c \
	%D%/reader.h \
	%D%/scan.c \
	%D%/search.c \
	%D%/settle.c \
	%D%/subvolumes.c \
	%D%/supers.c \
	%D%/table.c \
	%D%/table.h \
	%D%/walk.c \
	%D%/walk.h
