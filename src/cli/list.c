/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything is put into JSON first; the text is made of that. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "src/base/json.h"
#include "src/base/units.h"
#include "src/cli/cli.h"
#include "src/machine/survey.h"
#include "src/plan/plan.h"
#include "src/plugins.h"
#include "src/scenario/scenario.h"

static json_t *params_json(const struct param *params, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", params[i].name, "unit",
						      params_unit_name(params[i].unit), "default",
						      params[i].fallback, "summary", params[i].summary));
	return list;
}

static json_t *plugin_json(const char *name, const char *summary, uint32_t needs,
			   const struct surroundings *s)
{
	const char *unmet = needs_unmet(s, needs);
	char text[256];

	return json_pack("{s:s, s:s, s:s, s:o}", "name", name, "summary", summary, "needs",
			 needs_show(text, sizeof(text), needs), "unavailable",
			 unmet ? json_string(unmet) : json_null());
}

static json_t *list_operations(const struct surroundings *s)
{
	static const char *const groups[] = {
		[GROUP_NAMES] = "names",           [GROUP_ATTRIBUTES] = "attributes", [GROUP_DATA] = "data",
		[GROUP_DURABILITY] = "durability", [GROUP_SNAPSHOTS] = "snapshots",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < op_count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:i}", "name", op_table[i]->name, "summary",
						op_table[i]->summary, "group", groups[op_table[i]->group],
						"id", (int)op_table[i]->id));
	return list;
}

/* The defaults are those of this workload's shape. */
static json_t *shape_json(const struct workload *w)
{
	json_t *list = params_json(workload_params, workload_param_count);

	for (size_t i = 0; i < workload_param_count; i++) {
		char text[32];

		params_show(text, sizeof(text), &workload_params[i],
			    plan_shape_value(&w->shape, workload_params[i].name));
		json_object_set_new(json_array_get(list, i), "default", json_string(text));
	}
	return list;
}

static json_t *list_workloads(const struct surroundings *s)
{
	json_t *list = json_array();

	for (size_t i = 0; plugin_workloads[i]; i++) {
		const struct workload *w = plugin_workloads[i];
		json_t *j = plugin_json(w->name, w->summary, w->needs, s), *mix = json_object();

		for (const struct weight *op = w->mix; op->op; op++)
			json_object_set_new(mix, op->op, json_integer(op->weight));
		json_object_set_new(j, "mix", mix);
		json_object_set_new(j, "parameters", shape_json(w));
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *list_injectors(const struct surroundings *s)
{
	json_t *list = json_array();

	for (size_t i = 0; plugin_injectors[i]; i++) {
		const struct injector *in = plugin_injectors[i];
		json_t *j = plugin_json(in->name, in->summary, in->needs, s), *words = json_array();

		for (size_t k = 0; in->phase_args && in->phase_args[k]; k++)
			json_array_append_new(words, json_string(in->phase_args[k]));
		json_object_set_new(j, "phase_words", words);
		json_object_set_new(j, "parameters", params_json(in->params, in->param_count));
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *list_verifiers(const struct surroundings *s)
{
	json_t *list = json_array();

	for (size_t i = 0; plugin_verifiers[i]; i++) {
		const struct verifier *v = plugin_verifiers[i];
		json_t *j = plugin_json(v->name, v->summary, v->needs, s);

		json_object_set_new(j, "when", json_string(verify_when_text(v->when)));
		json_array_append_new(list, j);
	}
	return list;
}

static void add_scenario(void *self, const char *name, const char *path)
{
	struct scenario s;
	struct error e;
	json_t *j;

	if (scenario_load(path, &s, &e)) {
		json_array_append_new(self, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "summary", "",
						      "path", path, "unavailable", e.text));
		return;
	}
	j = json_pack("{s:s, s:s, s:n}", "name", name, "path", path, "unavailable");
	for (size_t i = 0; i < PLAN_FOR_PEOPLE; i++) {
		const char *value = scenario_value(&s, "run", "", plan_for_people[i]);

		if (value || i == 0)
			json_object_set_new(j, plan_for_people[i], json_text(value ? value : ""));
	}
	json_array_append_new(self, j);
	scenario_free(&s);
}

static json_t *list_scenarios(const struct surroundings *s)
{
	json_t *list = json_array();

	scenario_each(add_scenario, list);
	return list;
}

static const struct {
	const char *name;
	json_t *(*list)(const struct surroundings *s);
} kinds[] = {
	{"operations", list_operations}, {"workloads", list_workloads}, {"injectors", list_injectors},
	{"verifiers", list_verifiers},   {"scenarios", list_scenarios},
};

/* ---- text */

static const char *words(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static void print_params(const json_t *j)
{
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(j, "parameters"), i, p)
	{
		printf("      %-12s %-9s %-9s %s\n", words(p, "name"), words(p, "unit"), words(p, "default"),
		       words(p, "summary"));
	}
}

static void print_entry(const json_t *j)
{
	const char *unavailable = json_string_value(json_object_get(j, "unavailable"));
	json_t *word;
	size_t i;

	printf("  %-25s %s%s%s\n", words(j, "name"), words(j, "summary"), words(j, "when")[0] ? "; " : "",
	       words(j, "when"));
	if (unavailable)
		printf("      cannot run here: %s\n", unavailable);
	if (words(j, "source")[0])
		printf("      source: %s\n", words(j, "source"));
	if (words(j, "kernels")[0])
		printf("      kernels: %s\n", words(j, "kernels"));
	json_array_foreach(json_object_get(j, "phase_words"), i, word)
	{
		printf("%s%s", i ? ", " : "      words in a phase: ", json_string_value(word));
	}
	if (i)
		putchar('\n');
	print_params(j);
}

static void print_kind(const char *name, const json_t *list)
{
	json_t *j;
	size_t i;

	printf("%s:\n", name);
	json_array_foreach(list, i, j)
	{
		print_entry(j);
	}
}

static int check_kind(const char *wanted, struct error *e)
{
	const char *names[ARRAY_SIZE(kinds)];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		names[i] = kinds[i].name;
		if (strcmp(names[i], wanted) == 0)
			return 0;
	}
	return unknown_word(e, "kind", wanted, names, ARRAY_SIZE(names));
}

static void print_all(const char *wanted, bool json)
{
	json_t *all = json_object(), *list;
	struct surroundings s;
	const char *name;

	machine_survey(&s, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!wanted || strcmp(kinds[i].name, wanted) == 0)
			json_object_set_new(all, kinds[i].name, kinds[i].list(&s));
	}
	if (json) {
		cli_print_json(json_incref(all));
	} else {
		json_object_foreach(all, name, list)
		{
			print_kind(name, list);
		}
	}
	json_decref(all);
}

int command_list(int argc, char **argv, struct error *e)
{
	const char *wanted = NULL;
	bool json = false;
	int done = cli_json_option(argc, argv, &json, e);

	if (done)
		return done < 0 ? -1 : EXIT_CLEAN;
	if (optind < argc && (cli_one_argument(argc, argv, "the kind", &wanted, e) || check_kind(wanted, e)))
		return -1;
	print_all(wanted, json);
	return EXIT_CLEAN;
}
