# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += \
	%D%/fsck.c \
	%D%/kmsg.c \
	%D%/verifier.h
