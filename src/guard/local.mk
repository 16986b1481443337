# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/guard.h \
	%D%/messages.c \
	%D%/messages.h
