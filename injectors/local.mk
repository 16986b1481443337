# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/blocks.c \
	%D%/blocks.h \
	%D%/bound.c \
	%D%/bound.h \
	%D%/census.c \
	%D%/census.h \
	%D%/cpu.c \
	%D%/dirty.c \
	%D%/dirty.h \
	%D%/flush.c \
	%D%/flush.h \
	%D%/hotplug.c \
	%D%/injector.c \
	%D%/injector.h \
	%D%/numa.c \
	%D%/sample.c \
	%D%/sample.h \
	%D%/softoffline.c \
	%D%/sync.c \
	%D%/walk.c \
	%D%/walk.h
