# SPDX-License-Identifier: GPL-2.0-or-later
scenariosdir = $(pkgdatadir)/scenarios
dist_scenarios_DATA = \
	%D%/compaction.ini \
	%D%/everything.ini \
	%D%/migration-storm.ini \
	%D%/pressure.ini \
	%D%/prove.ini \
	%D%/smoke.ini \
	%D%/squeeze.ini \
	%D%/sync-storm.ini
