# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/array.c \
	%D%/blocks.c \
	%D%/clone.c \
	%D%/data.c \
	%D%/fragments.c \
	%D%/model.c \
	%D%/model.h \
	%D%/nameless.c \
	%D%/names.c \
	%D%/objects.c \
	%D%/pages.c \
	%D%/pages.h \
	%D%/private.h \
	%D%/save.c \
	%D%/stripes.c \
	%D%/stripes.h \
	%D%/view.c \
	%D%/witness.c \
	%D%/witness.h
