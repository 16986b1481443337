# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/base.h \
	%D%/clock.h \
	%D%/error.c \
	%D%/error.h \
	%D%/json.c \
	%D%/json.h \
	%D%/list.h \
	%D%/program.c \
	%D%/program.h \
	%D%/random.h \
	%D%/units.c \
	%D%/units.h \
	%D%/words.c
