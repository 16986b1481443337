/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/plugins.h"

#include <stddef.h>

extern const struct workload workload_aio, workload_churn, workload_enospc, workload_logtree,
	workload_manyfiles, workload_mmap, workload_reflink, workload_rewrite, workload_snapshot,
	workload_subvolume;
extern const struct injector injector_compaction, injector_cpu, injector_device, injector_dimm,
	injector_failure, injector_hotplug, injector_nomem, injector_numa, injector_pressure,
	injector_shutdown, injector_softoffline, injector_sync;
extern const struct verifier verifier_audit, verifier_cold, verifier_devstats, verifier_durable,
	verifier_fsck, verifier_hot, verifier_kmsg, verifier_mirrors, verifier_remount, verifier_scrub,
	verifier_snapshots;

const struct workload *const plugin_workloads[] = {&workload_aio,
						   &workload_churn,
						   &workload_enospc,
						   &workload_logtree,
						   &workload_manyfiles,
						   &workload_mmap,
						   &workload_reflink,
						   &workload_rewrite,
						   &workload_snapshot,
						   &workload_subvolume,
						   NULL};
const struct injector *const plugin_injectors[] = {
	&injector_compaction,
	&injector_cpu,
	&injector_device,
	&injector_dimm,
	&injector_failure,
	&injector_hotplug,
	&injector_nomem,
	&injector_numa,
	&injector_pressure,
	&injector_shutdown,
	&injector_softoffline,
	&injector_sync,
	NULL,
};
const struct verifier *const plugin_verifiers[] = {
	&verifier_hot,     &verifier_cold,     &verifier_snapshots, &verifier_audit,
	&verifier_scrub,   &verifier_devstats, &verifier_remount,   &verifier_durable,
	&verifier_mirrors, &verifier_kmsg,     &verifier_fsck,      NULL,
};
