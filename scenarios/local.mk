# SPDX-License-Identifier: GPL-2.0-or-later
scenariosdir = $(pkgdatadir)/scenarios
dist_scenarios_DATA = \
	%D%/btree-migration-2010.ini \
	%D%/compaction.ini \
	%D%/direct-in-flight.ini \
	%D%/enospc-edge.ini \
	%D%/everything.ini \
	%D%/failing-device.ini \
	%D%/jbd2-migration.ini \
	%D%/large-folios-reclaimed.ini \
	%D%/log-tree.ini \
	%D%/migration-storm.ini \
	%D%/mmap-under-compaction.ini \
	%D%/power-cut.ini \
	%D%/pressure.ini \
	%D%/prove.ini \
	%D%/shutdown.ini \
	%D%/small-memcg-readers.ini \
	%D%/slow-device.ini \
	%D%/smoke.ini \
	%D%/snapshot-same-transaction.ini \
	%D%/squeeze.ini \
	%D%/sync-storm.ini
