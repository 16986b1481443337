# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/find.c \
	%D%/scenario.c \
	%D%/scenario.h
