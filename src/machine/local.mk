# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/dimm.c \
	%D%/dimm.h \
	%D%/door.c \
	%D%/facts.c \
	%D%/look.c \
	%D%/machine.h \
	%D%/messages.c \
	%D%/messages.h \
	%D%/programs.c \
	%D%/programs.h \
	%D%/survey.c \
	%D%/survey.h
