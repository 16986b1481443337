# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/chart.c \
	%D%/chart.h \
	%D%/describe.c \
	%D%/exposure_json.c \
	%D%/exposure_print.c \
	%D%/file.c \
	%D%/history.c \
	%D%/history.h \
	%D%/print.c \
	%D%/print.h \
	%D%/report.h \
	%D%/status.c \
	%D%/summary.c \
	%D%/summary.h
