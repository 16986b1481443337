/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where scenarios lie: in $RECOW_SCENARIOS alone if it is set; else beside the source when the program runs
 * from a build directory in it, then where they were installed.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/units.h"
#include "src/scenario/scenario.h"

#define PLACES 3
#define NAMES  128

struct places {
	char path[PLACES][4096];
	size_t count;
};

static void add_place(struct places *p, const char *dir, const char *below)
{
	if (snprintf(p->path[p->count], sizeof(p->path[0]), "%s%s", dir, below) < (int)sizeof(p->path[0]))
		p->count++;
}

static void find_places(struct places *p)
{
	const char *given = getenv("RECOW_SCENARIOS");
	char self[3072];
	ssize_t n;

	p->count = 0;
	if (given) {
		add_place(p, given, "");
		return;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		char *slash;

		self[n] = '\0';
		slash = strrchr(self, '/');
		*slash = '\0';
		add_place(p, self, "/../scenarios");
		add_place(p, self, "/../share/recow/scenarios");
	}
	add_place(p, RECOW_DATADIR, "/scenarios");
}

struct listing {
	const char *names[NAMES];
	size_t count;
	void (*each)(void *self, const char *name, const char *path);
	void *self;
};

static int is_scenario(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 4 && d->d_name[0] != '.' && strcmp(d->d_name + len - 4, ".ini") == 0;
}

static bool seen(const struct listing *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->names[i], name) == 0)
			return true;
	}
	return false;
}

static void list_one(struct listing *l, const char *dir, const char *file)
{
	char *name = strndup(file, strlen(file) - 4);
	char path[4096 + 256];

	if (!name || l->count == NAMES || seen(l, name)) {
		free(name);
		return;
	}
	l->names[l->count++] = name;
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (l->each)
		l->each(l->self, name, path);
}

static void list_all(struct listing *l)
{
	struct places places;

	find_places(&places);
	for (size_t i = 0; i < places.count; i++) {
		struct dirent **files;
		int n = scandir(places.path[i], &files, is_scenario, alphasort);

		for (int k = 0; k < n; k++) {
			list_one(l, places.path[i], files[k]->d_name);
			free(files[k]);
		}
		if (n >= 0)
			free(files);
	}
}

static void forget(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		free((char *)(uintptr_t)l->names[i]);
}

size_t scenario_each(void (*each)(void *self, const char *name, const char *path), void *self)
{
	struct listing l = {.each = each, .self = self};

	list_all(&l);
	forget(&l);
	return l.count;
}

int scenario_find(const char *word, char *path, size_t len, struct error *e)
{
	size_t n = strlen(word);
	struct listing l = {0};
	struct places places;

	if (strchr(word, '/') || (n > 4 && strcmp(word + n - 4, ".ini") == 0)) {
		snprintf(path, len, "%s", word);
		return 0;
	}
	find_places(&places);
	for (size_t i = 0; i < places.count; i++) {
		if (snprintf(path, len, "%s/%s.ini", places.path[i], word) < (int)len &&
		    access(path, R_OK) == 0)
			return 0;
	}
	list_all(&l);
	unknown_word(e, "scenario", word, l.names, l.count);
	forget(&l);
	return -1;
}
