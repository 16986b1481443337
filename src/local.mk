# SPDX-License-Identifier: GPL-2.0-or-later
librecow_a_SOURCES += %D%/plugins.c %D%/plugins.h

bin_PROGRAMS += recow
recow_SOURCES = %D%/main.c
recow_LDADD = $(RECOW_LIBS)

include src/base/local.mk
include src/content/local.mk
include src/model/local.mk
include src/journal/local.mk
include src/durable/local.mk
include src/ops/local.mk
include src/engine/local.mk
include src/guard/local.mk
include src/machine/local.mk
include src/target/local.mk
include src/audit/local.mk
include src/finding/local.mk
include src/report/local.mk
include src/scenario/local.mk
include src/plan/local.mk
include src/cli/local.mk
include src/run/local.mk
