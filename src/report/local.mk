# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/again.c \
	%D%/chart.c \
	%D%/chart.h \
	%D%/describe.c \
	%D%/effects.c \
	%D%/effects.h \
	%D%/events.c \
	%D%/exposure_json.c \
	%D%/exposure_print.c \
	%D%/file.c \
	%D%/group.c \
	%D%/history.c \
	%D%/history.h \
	%D%/past.c \
	%D%/print.c \
	%D%/print.h \
	%D%/replan.c \
	%D%/replan.h \
	%D%/replay_print.c \
	%D%/report.h \
	%D%/status.c \
	%D%/story.h \
	%D%/story_json.c \
	%D%/story_print.c \
	%D%/summary.c \
	%D%/summary.h \
	%D%/values.c
