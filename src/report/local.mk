# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/describe.c \
	%D%/file.c \
	%D%/print.c \
	%D%/report.h \
	%D%/status.c \
	%D%/summary.c \
	%D%/summary.h
