# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/finding.h \
	%D%/print.c \
	%D%/store.c \
	%D%/store.h \
	%D%/verdict.h
