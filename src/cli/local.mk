# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/account.c \
	%D%/account.h \
	%D%/audit.c \
	%D%/cli.c \
	%D%/cli.h \
	%D%/doctor.c \
	%D%/flags.c \
	%D%/flags.h \
	%D%/differences.c \
	%D%/differences.h \
	%D%/help.c \
	%D%/journal.c \
	%D%/launch.c \
	%D%/launch.h \
	%D%/list.c \
	%D%/model.c \
	%D%/namer.c \
	%D%/namer.h \
	%D%/progress.c \
	%D%/progress.h \
	%D%/recheck.c \
	%D%/recheck.h \
	%D%/replay.c \
	%D%/report.c \
	%D%/restore.c \
	%D%/run.c \
	%D%/stored.c \
	%D%/stored.h \
	%D%/verify.c
