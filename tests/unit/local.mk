# SPDX-License-Identifier: GPL-2.0-or-later
# One cmocka program per room. A new one: add its name to unit_tests and one _SOURCES line.
if HAVE_CMOCKA
unit_tests = %D%/test_base
unit_tests += %D%/test_audit %D%/test_btrfs
unit_tests += %D%/test_chunk
unit_tests += %D%/test_crowd %D%/test_crowd_real
unit_tests += %D%/test_disturb
unit_tests += %D%/test_durable
unit_tests += %D%/test_durable_tree
unit_tests += %D%/test_effects
unit_tests += %D%/test_hotplug
unit_tests += %D%/test_injector %D%/test_injectors_real
unit_tests += %D%/test_chart
unit_tests += %D%/test_measures
unit_tests += %D%/test_ops %D%/test_resolve
unit_tests += %D%/test_plan
unit_tests += %D%/test_replay
unit_tests += %D%/test_sample
unit_tests += %D%/test_scenario
unit_tests += %D%/test_content %D%/test_journal %D%/test_maps %D%/test_model %D%/test_model_cases %D%/test_pages
unit_tests += %D%/test_namer %D%/test_report %D%/test_store %D%/test_story
unit_tests += %D%/test_sync
unit_tests += %D%/test_values %D%/test_verdict
unit_tests += %D%/test_verify_attributes %D%/test_verify_data %D%/test_verify_disk
unit_tests += %D%/test_verify_held %D%/test_verify_names %D%/test_verify_pass %D%/test_verify_snapshots
unit_tests += %D%/test_fsck
unit_tests += %D%/test_mapped %D%/test_verify_shared
unit_tests += %D%/test_kmsg
unit_tests += %D%/test_scrub
unit_tests += %D%/test_program
unit_tests += %D%/test_target
unit_tests += %D%/test_cpu %D%/test_device %D%/test_dimm %D%/test_freeze %D%/test_moment %D%/test_nomem %D%/test_numa %D%/test_softoffline
unit_tests += %D%/test_guard %D%/test_hang %D%/test_outcome %D%/test_repeats %D%/test_undo
unit_tests += %D%/test_gang %D%/test_mix
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
LDADD = $(RECOW_LIBS) $(CMOCKA_LIBS)

# What real_world.h needs: a directory of a real filesystem, and operations in it.
real_world = %D%/keeper.h %D%/ops_world.h %D%/real.h %D%/real_world.h %D%/tree_walk.h %D%/unit.h
%C%_test_audit_SOURCES = %D%/test_audit.c %D%/unit.h
%C%_test_btrfs_SOURCES = %D%/test_btrfs.c %D%/unit.h
%C%_test_base_SOURCES = %D%/test_base.c %D%/unit.h
%C%_test_crowd_SOURCES = %D%/test_crowd.c %D%/unit.h
%C%_test_crowd_real_SOURCES = %D%/test_crowd_real.c %D%/conductor.h %D%/keeper.h %D%/real.h %D%/unit.h
%C%_test_disturb_SOURCES = %D%/test_disturb.c %D%/unit.h
%C%_test_durable_SOURCES = %D%/test_durable.c %D%/ops_world.c $(real_world)
%C%_test_durable_tree_SOURCES = %D%/test_durable_tree.c %D%/made_run.h %D%/ops_world.c %D%/ops_world.h %D%/unit.h
%C%_test_effects_SOURCES = %D%/test_effects.c %D%/ops_world.c $(real_world)
%C%_test_hotplug_SOURCES = %D%/test_hotplug.c %D%/injection.h %D%/unit.h
%C%_test_chart_SOURCES = %D%/test_chart.c %D%/made_run.h %D%/unit.h
%C%_test_measures_SOURCES = %D%/test_measures.c %D%/unit.h
%C%_test_ops_SOURCES = %D%/test_ops.c %D%/ops_world.c %D%/ops_world.h %D%/unit.h
%C%_test_resolve_SOURCES = %D%/test_resolve.c %D%/ops_world.c %D%/ops_world.h %D%/unit.h
%C%_test_injector_SOURCES = %D%/test_injector.c %D%/unit.h
%C%_test_injectors_real_SOURCES = %D%/test_injectors_real.c %D%/conductor.h %D%/keeper.h %D%/real.h %D%/unit.h
%C%_test_plan_SOURCES = %D%/test_plan.c %D%/unit.h
%C%_test_replay_SOURCES = %D%/test_replay.c %D%/made_run.h %D%/unit.h
%C%_test_sample_SOURCES = %D%/test_sample.c %D%/unit.h
%C%_test_scenario_SOURCES = %D%/test_scenario.c %D%/unit.h
%C%_test_content_SOURCES = %D%/test_content.c %D%/unit.h
%C%_test_journal_SOURCES = %D%/test_journal.c %D%/unit.h
%C%_test_maps_SOURCES = %D%/test_maps.c %D%/unit.h
%C%_test_model_SOURCES = %D%/test_model.c %D%/reference.c %D%/reference.h %D%/unit.h
%C%_test_model_cases_SOURCES = %D%/test_model_cases.c %D%/unit.h
%C%_test_pages_SOURCES = %D%/test_pages.c %D%/unit.h
%C%_test_namer_SOURCES = %D%/test_namer.c %D%/unit.h
%C%_test_report_SOURCES = %D%/test_report.c %D%/made_run.h %D%/unit.h
%C%_test_story_SOURCES = %D%/test_story.c %D%/made_run.h %D%/unit.h
EXTRA_DIST += %D%/golden/answer.txt %D%/golden/attribute.txt %D%/golden/bare.txt %D%/golden/cloned.txt %D%/golden/eio.txt \
	%D%/golden/erofs.txt %D%/golden/extra.txt %D%/golden/flipped.txt %D%/golden/foreign.txt \
	%D%/golden/fsck.txt %D%/golden/garbage.txt %D%/golden/hang.txt %D%/golden/harness.txt \
	%D%/golden/kernel.txt %D%/golden/missing.txt %D%/golden/shifted.txt %D%/golden/stale.txt \
	%D%/golden/synced.txt \
	%D%/golden/target.txt %D%/golden/thrice.txt %D%/golden/torn.txt %D%/golden/zeroes.txt
%C%_test_store_SOURCES = %D%/test_store.c %D%/made_run.h %D%/unit.h
%C%_test_sync_SOURCES = %D%/test_sync.c %D%/injection.h %D%/unit.h
%C%_test_values_SOURCES = %D%/test_values.c %D%/made_run.h %D%/unit.h
EXTRA_DIST += %D%/golden/values.txt
%C%_test_verdict_SOURCES = %D%/test_verdict.c %D%/unit.h
# A mounted filesystem with a tree and its models, and verifiers run on it.
verify_world = %D%/verify_look.c %D%/verify_tree.c %D%/verify_world.c %D%/keeper.h %D%/real.h %D%/verify_world.h %D%/unit.h
%C%_test_mapped_SOURCES = %D%/test_mapped.c %D%/ops_world.c %D%/ops_world.h %D%/unit.h
%C%_test_verify_shared_SOURCES = %D%/test_verify_shared.c $(verify_world)
%C%_test_verify_attributes_SOURCES = %D%/test_verify_attributes.c $(verify_world)
%C%_test_verify_data_SOURCES = %D%/test_verify_data.c $(verify_world)
%C%_test_verify_disk_SOURCES = %D%/test_verify_disk.c $(verify_world)
%C%_test_verify_held_SOURCES = %D%/test_verify_held.c $(verify_world)
%C%_test_verify_names_SOURCES = %D%/test_verify_names.c $(verify_world)
%C%_test_verify_pass_SOURCES = %D%/test_verify_pass.c $(verify_world)
%C%_test_verify_snapshots_SOURCES = %D%/test_verify_snapshots.c $(verify_world)
%C%_test_chunk_SOURCES = %D%/test_chunk.c %D%/unit.h
%C%_test_fsck_SOURCES = %D%/test_fsck.c %D%/unit.h
%C%_test_kmsg_SOURCES = %D%/test_kmsg.c %D%/unit.h
%C%_test_scrub_SOURCES = %D%/test_scrub.c %D%/keeper.h %D%/real.h %D%/unit.h
%C%_test_program_SOURCES = %D%/test_program.c %D%/unit.h
%C%_test_target_SOURCES = %D%/test_target.c %D%/keeper.h %D%/real.h %D%/unit.h

# Operations on real filesystems: one program, run on each of them by a script.
check_PROGRAMS += %D%/test_ops_real
%C%_test_ops_real_SOURCES = %D%/test_ops_real.c %D%/ops_world.c %D%/tree_walk.c $(real_world)
check_PROGRAMS += %D%/test_replay_real
%C%_test_replay_real_SOURCES = %D%/test_replay_real.c %D%/ops_world.c %D%/tree_walk.c $(real_world)
TESTS += %D%/ops_filesystems.sh
EXTRA_DIST += %D%/ops_filesystems.sh
%C%_test_cpu_SOURCES = %D%/test_cpu.c %D%/conductor.h %D%/keeper.h %D%/real.h %D%/unit.h
%C%_test_moment_SOURCES = %D%/test_moment.c %D%/unit.h
%C%_test_nomem_SOURCES = %D%/test_nomem.c %D%/injection.h %D%/unit.h
%C%_test_numa_SOURCES = %D%/test_numa.c %D%/injection.h %D%/unit.h
%C%_test_device_SOURCES = %D%/test_device.c %D%/injection.h %D%/unit.h
%C%_test_dimm_SOURCES = %D%/test_dimm.c %D%/unit.h
%C%_test_softoffline_SOURCES = %D%/test_softoffline.c %D%/injection.h %D%/unit.h
%C%_test_freeze_SOURCES = %D%/test_freeze.c %D%/keeper.h %D%/real.h %D%/unit.h
%C%_test_guard_SOURCES = %D%/test_guard.c %D%/block.h %D%/keeper.h %D%/real.h %D%/unit.h
%C%_test_hang_SOURCES = %D%/test_hang.c %D%/unit.h
%C%_test_outcome_SOURCES = %D%/test_outcome.c %D%/unit.h
%C%_test_repeats_SOURCES = %D%/test_repeats.c %D%/unit.h
%C%_test_undo_SOURCES = %D%/test_undo.c %D%/block.h %D%/keeper.h %D%/real.h %D%/unit.h
%C%_test_gang_SOURCES = %D%/test_gang.c %D%/unit.h
%C%_test_mix_SOURCES = %D%/test_mix.c %D%/unit.h
endif

# Not tests: what model, content and verification cost.
check_PROGRAMS += tests/bench_model tests/bench_verify tests/overflow
tests_overflow_SOURCES = tests/overflow.c
tests_overflow_LDADD = $(JEMALLOC_LIBS)
tests_bench_model_SOURCES = tests/bench_model.c
tests_bench_model_LDADD = $(RECOW_LIBS)
tests_bench_verify_SOURCES = tests/bench_verify.c
tests_bench_verify_LDADD = $(RECOW_LIBS)
