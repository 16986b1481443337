# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/churn.c \
	%D%/churn.h \
	%D%/disturb.c \
	%D%/disturb.h \
	%D%/fault.c \
	%D%/feed.c \
	%D%/feed.h \
	%D%/gang.c \
	%D%/gang.h \
	%D%/layout.c \
	%D%/mix.c \
	%D%/mix.h \
	%D%/pace.c \
	%D%/pace.h \
	%D%/rounds.c \
	%D%/tally.c \
	%D%/tally.h \
	%D%/tell.c \
	%D%/trace.c \
	%D%/verification.c \
	%D%/witness.c \
	%D%/worker.c \
	%D%/worker.h
