# SPDX-License-Identifier: GPL-2.0-or-later
# Broken layers that recow is proved on. They share nothing with librecow; nothing of them is installed.
if HAVE_FUSE3
noinst_LIBRARIES += libmutants.a
libmutants_a_SOURCES = \
	%D%/common/chance.c \
	%D%/common/chance.h \
	%D%/common/settings.c \
	%D%/common/settings.h \
	%D%/common/truth.c \
	%D%/common/truth.h
libmutants_a_CFLAGS = $(AM_CFLAGS) $(FUSE3_CFLAGS)
MUTANT_LIBS = libmutants.a $(FUSE3_LIBS) $(JANSSON_LIBS)
endif
