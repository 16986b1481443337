/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything a run does, decided before it begins: scenario and flags in, plain data out. The plan lies in
 * the memory that all processes share and never changes after the fork. `recow run --dry-run` prints it.
 */
#ifndef RECOW_PLAN_H
#define RECOW_PLAN_H

#include "injectors/injector.h"
#include "src/plan/measures.h"
#include "src/target/target.h"
#include "verify/verifier.h"
#include "workloads/workload.h"

#define PLAN_WORKLOADS 16
#define PLAN_INJECTORS 16
#define PLAN_VERIFIERS 16
#define PLAN_PHASES    16
#define PLAN_WORKERS   1024

/* One phase of a round. It ends after `duration` or, when a worker's `ops` are given, when each worker did
 * them. */
struct plan_phase {
	char name[32];
	uint64_t duration;            /* ns; 0 with ops */
	uint64_t ops;                 /* per worker; 0 with duration */
	bool churn;                   /* workers run (else they wait) */
	uint32_t inject;              /* bit i: injection i of the plan is active */
	char arg[PLAN_INJECTORS][16]; /* its phase argument, "" if none */
};

struct plan_workload {
	const struct workload *workload;
	struct shape shape; /* with parameters applied */
	unsigned int share; /* workers are dealt out by share */
	bool asked;         /* with -w: then it is an error when it cannot run */
};

struct plan_injection {
	const struct injector *injector;
	struct params params;
	bool asked;              /* with -i: then it is an error when it cannot run */
	const char *unavailable; /* why it will not run, NULL if it will */
	char unavailable_text[160];
};

struct plan_verification {
	const struct verifier *verifier;
	bool asked; /* with --verify */
	const char *unavailable;
	char unavailable_text[160];
};

struct plan {
	char scenario[64];
	char scenario_path[4096];
	uint64_t seed;
	uint64_t run_key;  /* content key: from seed; the same seed gives the same content */
	uint64_t duration; /* ns; 0: until rounds or Ctrl-C */
	uint64_t rounds;   /* 0: as many as fit in the duration */
	uint64_t ops;      /* per worker in the whole run, 0: not limited */
	unsigned int workers;
	unsigned int shared_dirs;
	unsigned int shared_files; /* 0 without shared directories */
	struct target_spec target;
	char output[4096]; /* run directory; absolute */
	char replay[4096]; /* absolute; the run whose journals give the operations, and rounds and phases with
			      them, whatever the limits say; "": they are drawn */
	uint64_t journal_keep;              /* bytes over all workers; 0: everything */
	char journal_tail[4096];            /* absolute; "": in the run directory */
	uint64_t hang_limit;                /* ns an operation may take */
	uint64_t memory_floor;              /* bytes of MemAvailable that are left */
	struct least_exposure min_exposure; /* for a clean verdict */
	bool inject;                        /* false: --no-inject, or another run holds the machine */
	char no_inject_reason[160];
	bool keep, keep_going;
	unsigned int workload_count, injection_count, verification_count, phase_count;
	struct plan_workload workload[PLAN_WORKLOADS];
	struct plan_injection injection[PLAN_INJECTORS];
	struct plan_verification verification[PLAN_VERIFIERS];
	struct plan_phase phase[PLAN_PHASES];
	uint32_t met;       /* set of enum need: operations that want more are left out of the mixes */
	char left_out[320]; /* their names and the reason, "" if there are none */
	char workloads_left_out[320]; /* those of workloads that the scenario names, likewise */
};

/* Make a plan of a scenario and of the flags that lie over it. Pure but for the default seed
 * (getrandom) and the number of CPUs. Errors name the file and line, or the flag. What the machine and the
 * target allow is not looked at: that is plan_settle()'s part. `output` stays empty unless it was given. */
struct scenario;
int plan_make(struct plan *p, const struct scenario *scenario, const struct scenario *flags, struct error *e);

/* Lay flags of [run] and [target] over a plan that was made otherwise (of the run that a replay is of). The
 * key of its content stays. */
int plan_overlay(struct plan *p, const struct scenario *flags, struct error *e);

/* Leave out, by name and with the reason, what can't run in these surroundings. What the user asked for by
 * name and can't have is an error (EXIT_CANNOT). The plan must not be moved afterwards: it points into
 * itself. */
int plan_settle(struct plan *p, const struct surroundings *around, struct error *e);

/* The same for operations that want one of the needs `unmet`, which the mounted target turned out not to
 * meet: their names and the reason behind those of p->left_out. Returns buf. */
char *plan_left_out(char *buf, size_t len, const struct plan *p, uint32_t unmet, const char *reason);

/* Of a settled one: is there a verifier that looks at snapshots? Then every worker takes some. */
bool plan_wants_witnesses(const struct plan *p);

/* Of a settled one: does an injector make the target fail? */
bool plan_makes_fail(const struct plan *p);

/* What a shape has for a workload parameter ("size_max"). */
uint64_t plan_shape_value(const struct shape *s, const char *name);

/* Keys of [run] in which a scenario tells of itself, for `recow list scenarios`; all have the first. */
#define PLAN_FOR_PEOPLE 3
extern const char *const plan_for_people[PLAN_FOR_PEOPLE];

/* Write the plan for people (--dry-run, RUN/plan.txt) into a stream. */
struct _IO_FILE;
void plan_print(const struct plan *p, struct _IO_FILE *out);

#endif
