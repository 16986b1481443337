# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/file.h \
	%D%/reader.c \
	%D%/record.c \
	%D%/record.h \
	%D%/ring.c \
	%D%/ring.h \
	%D%/tail.c \
	%D%/tail.h \
	%D%/writer.c
