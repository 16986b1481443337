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

check_PROGRAMS += mutants/recow-mutant-device
mutants_recow_mutant_device_SOURCES = \
	%D%/device/answers.c \
	%D%/device/chunks.c \
	%D%/device/chunks.h \
	%D%/device/content.c \
	%D%/device/damage.c \
	%D%/device/damage.h \
	%D%/device/device.c \
	%D%/device/device.h \
	%D%/device/history.c \
	%D%/device/history.h \
	%D%/device/log.c \
	%D%/device/log.h \
	%D%/device/lost.c \
	%D%/device/main.c \
	%D%/device/misplaced.c \
	%D%/device/mutant.h \
	%D%/device/order.c \
	%D%/device/order.h \
	%D%/device/regions.c \
	%D%/device/regions.h \
	%D%/device/replay.c \
	%D%/device/serve.c \
	%D%/device/serve.h \
	%D%/device/spoil.c \
	%D%/device/spoil.h \
	%D%/device/table.c
mutants_recow_mutant_device_CFLAGS = $(AM_CFLAGS) $(FUSE3_CFLAGS)
mutants_recow_mutant_device_LDADD = $(MUTANT_LIBS)

check_PROGRAMS += mutants/recow-mutant-fs
mutants_recow_mutant_fs_SOURCES = \
	%D%/fs/attribute.c \
	%D%/fs/cellar.c \
	%D%/fs/cellar.h \
	%D%/fs/copy.c \
	%D%/fs/damage.c \
	%D%/fs/damage.h \
	%D%/fs/direct.c \
	%D%/fs/errors.c \
	%D%/fs/families.h \
	%D%/fs/fs.h \
	%D%/fs/holes.c \
	%D%/fs/inode.c \
	%D%/fs/inode.h \
	%D%/fs/list.c \
	%D%/fs/lost.c \
	%D%/fs/main.c \
	%D%/fs/memory.c \
	%D%/fs/memory.h \
	%D%/fs/mixed.c \
	%D%/fs/mutant.h \
	%D%/fs/names.c \
	%D%/fs/page.c \
	%D%/fs/page.h \
	%D%/fs/plain.c \
	%D%/fs/plain.h \
	%D%/fs/promise.c \
	%D%/fs/promise.h \
	%D%/fs/returning.c \
	%D%/fs/serve.c \
	%D%/fs/serve.h \
	%D%/fs/serve_attributes.c \
	%D%/fs/serve_data.c \
	%D%/fs/serve_list.c \
	%D%/fs/serve_names.c \
	%D%/fs/size.c \
	%D%/fs/snapshot.c \
	%D%/fs/table.c \
	%D%/fs/wound.c \
	%D%/fs/wound.h \
	%D%/fs/xattr.c
mutants_recow_mutant_fs_CFLAGS = $(AM_CFLAGS) $(FUSE3_CFLAGS)
mutants_recow_mutant_fs_LDADD = $(MUTANT_LIBS)
endif
