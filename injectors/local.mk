# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/arena.c \
	%D%/arena.h \
	%D%/ballast.c \
	%D%/ballast.h \
	%D%/blocks.c \
	%D%/blocks.h \
	%D%/bound.c \
	%D%/bound.h \
	%D%/census.c \
	%D%/census.h \
	%D%/compaction.c \
	%D%/cpu.c \
	%D%/dimm.c \
	%D%/dirty.c \
	%D%/dirty.h \
	%D%/flush.c \
	%D%/flush.h \
	%D%/fragmenter.c \
	%D%/fragmenter.h \
	%D%/growth.c \
	%D%/growth.h \
	%D%/hotplug.c \
	%D%/injector.c \
	%D%/injector.h \
	%D%/numa.c \
	%D%/pressure.c \
	%D%/sample.c \
	%D%/sample.h \
	%D%/setting.c \
	%D%/setting.h \
	%D%/softoffline.c \
	%D%/squeeze.c \
	%D%/squeeze.h \
	%D%/sync.c \
	%D%/walk.c \
	%D%/walk.h
