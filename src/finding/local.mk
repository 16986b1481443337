# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/attribute.c \
	%D%/attribute.h \
	%D%/describe.c \
	%D%/explain.c \
	%D%/explain.h \
	%D%/finding.c \
	%D%/finding.h \
	%D%/looks.c \
	%D%/looks.h \
	%D%/print.c \
	%D%/store.c \
	%D%/store.h \
	%D%/verdict.c \
	%D%/verdict.h
