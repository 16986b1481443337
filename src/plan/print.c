/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "src/base/units.h"
#include "src/plan/plan.h"

static void print_end(const struct plan *p, FILE *out)
{
	char text[32];

	fprintf(out, "ends        ");
	if (p->duration)
		fprintf(out, "after %s", units_show_duration(text, sizeof(text), p->duration));
	if (p->rounds)
		fprintf(out, "%safter %llu rounds", p->duration ? " or " : "", (unsigned long long)p->rounds);
	if (p->ops)
		fprintf(out, "%safter %llu operations per worker", p->duration || p->rounds ? " or " : "",
			(unsigned long long)p->ops);
	if (p->replay[0])
		fprintf(out, "with the last operation of that run");
	else if (!p->duration && !p->rounds && !p->ops)
		fprintf(out, "with Ctrl-C");
	fprintf(out, p->keep_going ? "; goes on after a finding\n" : "; or with the first finding\n");
}

static void print_target(const struct target_spec *t, FILE *out)
{
	char size[32];

	fprintf(out, "target      ");
	switch (t->kind) {
	case TARGET_AUTO:
		fprintf(out, "%s on a throw-away image of %s%s", t->fs,
			units_show_size(size, sizeof(size), t->image_size), t->tmpfs ? ", on a tmpfs" : "");
		break;
	case TARGET_DEVICE:
	case TARGET_IMAGE:
		fprintf(out, "%s %s: %s%s", t->kind == TARGET_DEVICE ? "device" : "image", t->path, t->fs,
			t->mkfs ? ", FORMATTED first" : ", as it is");
		break;
	case TARGET_DIRECTORY:
		fprintf(out, "directory %s: %s", t->path, t->fs);
		break;
	}
	if (t->mapped)
		fprintf(out, ", behind a device-mapper device");
	if (t->fill)
		fprintf(out, ", filled with at most %s", units_show_size(size, sizeof(size), t->fill));
	fprintf(out, "\n");
	if (t->mkfs_options[0])
		fprintf(out, "            mkfs options: %s\n", t->mkfs_options);
	if (t->mount_options[0])
		fprintf(out, "            mount options: %s\n", t->mount_options);
}

static void print_workloads(const struct plan *p, FILE *out)
{
	for (unsigned int i = 0; i < p->workload_count; i++) {
		const struct plan_workload *w = &p->workload[i];
		char low[32], high[32], wlow[32], whigh[32];

		fprintf(out,
			"workload    %-10s share %u; %u files, %u directories, depth %u; sizes %s to %s; "
			"writes %s to %s\n",
			w->workload->name, w->share, w->shape.files, w->shape.dirs, w->shape.depth,
			units_show_size(low, sizeof(low), w->shape.size[0]),
			units_show_size(high, sizeof(high), w->shape.size[1]),
			units_show_size(wlow, sizeof(wlow), w->shape.write[0]),
			units_show_size(whigh, sizeof(whigh), w->shape.write[1]));
	}
	if (p->workloads_left_out[0])
		fprintf(out, "workloads   NOT RUN: %s\n", p->workloads_left_out);
	if (p->left_out[0])
		fprintf(out, "operations  NOT RUN: %s\n", p->left_out);
}

static void print_phases(const struct plan *p, FILE *out)
{
	for (unsigned int i = 0; i < p->phase_count; i++) {
		const struct plan_phase *phase = &p->phase[i];
		char length[32];

		if (phase->ops)
			snprintf(length, sizeof(length), "%llu ops", (unsigned long long)phase->ops);
		else
			units_show_duration(length, sizeof(length), phase->duration);
		fprintf(out, "phase %-5u %-10s %s%s", i + 1, phase->name, length,
			phase->churn ? ", churn" : "");
		for (unsigned int k = 0; k < p->injection_count; k++) {
			if (phase->inject & 1U << k)
				fprintf(out, ", %s%s%s", p->injection[k].injector->name,
					phase->arg[k][0] ? ":" : "", phase->arg[k]);
		}
		fprintf(out, "\n");
	}
}

static void print_injections(const struct plan *p, FILE *out)
{
	for (unsigned int i = 0; i < p->injection_count; i++) {
		const struct plan_injection *in = &p->injection[i];

		fprintf(out, "inject      %-10s", in->injector->name);
		if (in->unavailable) {
			fprintf(out, " NOT RUN: %s\n", in->unavailable);
			continue;
		}
		for (size_t k = 0; k < in->injector->param_count; k++) {
			char value[32];

			fprintf(out, "%s %s %s", k ? "," : "", in->injector->params[k].name,
				params_show(value, sizeof(value), &in->injector->params[k],
					    in->params.value[k]));
		}
		fprintf(out, "\n");
	}
}

static void print_verifications(const struct plan *p, FILE *out)
{
	for (unsigned int i = 0; i < p->verification_count; i++) {
		const struct plan_verification *v = &p->verification[i];

		if (v->unavailable)
			fprintf(out, "verify      %-10s NOT RUN: %s\n", v->verifier->name, v->unavailable);
		else
			fprintf(out, "verify      %-10s %s\n", v->verifier->name,
				verify_when_text(v->verifier->when));
	}
}

static void print_limits(const struct plan *p, FILE *out)
{
	char text[32];

	fprintf(out, "journal     the last %s\n",
		p->journal_keep ? units_show_size(text, sizeof(text), p->journal_keep) : "of everything");
	fprintf(out, "hang        an operation of more than %s\n",
		units_show_duration(text, sizeof(text), p->hang_limit));
	fprintf(out, "memory      at least %s stay free\n",
		units_show_size(text, sizeof(text), p->memory_floor));
	for (unsigned int i = 0; i < MEASURES; i++) {
		if (p->min_exposure.of[i])
			fprintf(out, "exposure    inconclusive below %llu %s\n",
				(unsigned long long)p->min_exposure.of[i], measure_words[i].what);
	}
}

void plan_print(const struct plan *p, FILE *out)
{
	fprintf(out, "scenario    %s (%s)\n", p->scenario, p->scenario_path);
	fprintf(out, "seed        0x%016llx\n", (unsigned long long)p->seed);
	if (p->replay[0])
		fprintf(out, "replay      of %s: its operations, in its rounds and phases\n", p->replay);
	print_target(&p->target, out);
	fprintf(out, "workers     %u, with %u shared directories and %u shared files\n", p->workers,
		p->shared_dirs, p->shared_files);
	print_end(p, out);
	print_workloads(p, out);
	print_phases(p, out);
	print_injections(p, out);
	print_verifications(p, out);
	print_limits(p, out);
	if (p->output[0])
		fprintf(out, "output      %s\n", p->output);
}
