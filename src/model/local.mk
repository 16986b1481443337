# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/array.c \
	%D%/blocks.c \
	%D%/data.c \
	%D%/fragments.c \
	%D%/model.c \
	%D%/model.h \
	%D%/names.c \
	%D%/objects.c \
	%D%/pages.c \
	%D%/pages.h \
	%D%/private.h \
	%D%/save.c \
	%D%/view.c \
	%D%/witness.c \
	%D%/witness.h
