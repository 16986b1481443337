# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/apply.h \
	%D%/keys.c \
	%D%/make.c \
	%D%/measures.c \
	%D%/measures.h \
	%D%/needs.c \
	%D%/needs.h \
	%D%/params.c \
	%D%/params.h \
	%D%/phases.c \
	%D%/pick.c \
	%D%/pick.h \
	%D%/plan.h \
	%D%/print.c \
	%D%/settle.c
