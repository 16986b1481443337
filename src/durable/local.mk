# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/history.c \
	%D%/history.h \
	%D%/names.c \
	%D%/names.h \
	%D%/retell.c \
	%D%/retell.h \
	%D%/source.c \
	%D%/source.h \
	%D%/syncs.c \
	%D%/syncs.h \
	%D%/timeline.c \
	%D%/timeline.h \
	%D%/touches.c \
	%D%/touches.h
