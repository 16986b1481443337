# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/exposure.c \
	%D%/exposure.h \
	%D%/rundir.c \
	%D%/rundir.h \
	%D%/shared.c \
	%D%/shared.h
