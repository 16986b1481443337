# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/content.c \
	%D%/content.h \
	%D%/hash.c \
	%D%/hash.h \
	%D%/lines.c \
	%D%/names.c
