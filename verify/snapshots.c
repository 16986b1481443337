/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Witnesses: read-only snapshots must stay what they were when they were taken, whatever is changed beside
 * them. Each is compared with the models that were frozen with it, names, attributes and contents, through
 * the cache and directly from disk by turns: one after the other again and again while the churn goes on, and
 * all of them at each barrier and after the remount.
 *
 * A witness may be deleted while it is looked at. Its owner says so before (`dying`); what is seen wrong
 * while that is still unsaid afterwards can't come from the deletion.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "verify/data.h"
#include "verify/tree.h"

/* While the churn goes on it rests three times as long as it looks, so that it costs the workers little:
 * reading takes more than this thread's own time. */
#define REST 3
#define IDLE (20 * NSEC_PER_MSEC)

/* What is wrong may have been written behind the snapshot. */
#define LATER (1U << 16)

/* Where the findings on one witness go before they go on. */
struct sight {
	const struct witness *witness;
	const struct finding_sink *to;
};

/* ---- what is said of a finding */

/* The operation that wrote what must not be there yet; NULL if nothing is as young as that. */
static const struct finding_range *find_newer(const struct witness *w, const struct finding *f)
{
	for (unsigned int i = 0; i < f->ranges && i < FINDING_RANGES; i++) {
		const struct finding_range *r = &f->range[i];

		if (r->class != FINDING_STALE && r->class != FINDING_FOREIGN)
			continue;
		for (size_t k = 0; k < w->count; k++) {
			const struct model_view *view = &w->frozen[k]->view;

			if (view->worker == r->origin.worker && r->origin.operation > view->operations)
				return r;
		}
	}
	return NULL;
}

static void describe_witness(const struct witness *w, const struct finding *f, char *buf, size_t len)
{
	const struct finding_range *newer = find_newer(w, f);
	double age = (double)(clock_mono() - w->time) / (double)NSEC_PER_SEC;
	size_t used;

	if (w->operation)
		used = (size_t)snprintf(buf, len, "; snapshot taken by operation %llu of worker %u",
					(unsigned long long)w->operation, w->frozen[0]->view.worker);
	else
		used = (size_t)snprintf(buf, len, "; snapshot taken at the end of round %llu",
					(unsigned long long)w->number);
	used += (size_t)snprintf(buf + used, len - used, ", %.1f s before", age);
	if (newer)
		snprintf(buf + used, len - used,
			 "; worker %u operation %llu came later: changed in place under a witness",
			 newer->origin.worker, (unsigned long long)newer->origin.operation);
}

/* The views call it "w0003/a", it lies at "snap/w0003.17/a". */
static void correct_path(const struct witness *w, struct finding *f)
{
	size_t place = strlen(w->place);
	char below[sizeof(f->path)];

	if (strncmp(f->path, w->place, place) != 0 || (f->path[place] && f->path[place] != '/'))
		return;
	snprintf(below, sizeof(below), "%s", f->path + place);
	snprintf(f->path, sizeof(f->path), "%s%.4000s", w->path, below);
}

static void emit(void *self, const struct finding *f)
{
	const struct sight *s = self;
	struct finding told;
	char text[256];

	if (s->witness->dying && f->class != FINDING_HARNESS)
		return;
	told = *f;
	correct_path(s->witness, &told);
	describe_witness(s->witness, f, text, sizeof(text));
	check_append(&told, text);
	finding_emit(s->to, &told);
}

/* ---- one witness */

static enum finding_place place_of(const struct verification *v, bool direct)
{
	if (direct)
		return SEEN_COLD;
	return v->when == VERIFY_REMOUNTED ? SEEN_FRESH : SEEN_HOT;
}

static int compare(struct check *c, bool direct, struct error *e)
{
	if (tree_verify(c, e) != 0)
		return -1;
	return direct ? data_verify_direct(c, false, e) : data_verify_cached(c, e);
}

/* Takes the descriptor. */
static int look_through(struct verification *v, const struct witness *w, int fd, bool direct, struct error *e)
{
	struct sight sight = {w, v->findings};
	const struct finding_sink sink = {emit, &sight};
	struct verification own = *v;
	const struct model_view **views = calloc(w->count + 1, sizeof(const struct model_view *));
	struct check c;
	int ret;

	if (!views) {
		close(fd);
		return error_errno(e, EXIT_HARNESS, ENOMEM, "the views of %s", w->path);
	}
	for (size_t i = 0; i < w->count; i++)
		views[i] = &w->frozen[i]->view;
	own.mount = fd;
	own.views = views;
	own.view_count = w->count;
	own.scope = w->scope;
	own.findings = &sink;
	own.gone = &w->dying;
	own.later = LATER;
	check_start(&c, &own, "snapshots", place_of(v, direct));
	ret = compare(&c, direct, e);
	if (!check_stopped(&c))
		v->counters->witnesses++;
	check_end(&c);
	close(fd);
	free(views);
	return ret;
}

static void tell_unopened(struct verification *v, const struct witness *w, bool direct, int err)
{
	struct sight sight = {w, v->findings};
	const struct finding_sink sink = {emit, &sight};
	struct verification own = *v;
	struct check c;

	own.findings = &sink;
	check_start(&c, &own, "snapshots", place_of(v, direct));
	check_report_path(&c, w->path, "", check_errno_class(err), "the snapshot can't be opened: %s",
			  strerror(err));
}

static int verify_one(struct verification *v, const struct witness *w, bool direct, struct error *e)
{
	int fd;

	if (!w->count)
		return 0; /* there was no memory to keep what it must hold */
	fd = openat(v->mount, w->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return look_through(v, w, fd, direct, e);
	tell_unopened(v, w, direct, errno);
	return 0;
}

static void rest(const struct verification *v, uint64_t ns)
{
	uint64_t end = clock_mono() + ns, now;

	while (!*v->stop && (now = clock_mono()) < end)
		sleep_ns(MIN(IDLE, end - now));
}

static int verify_witness(struct verification *v, const struct witness *w, bool direct, struct error *e)
{
	uint64_t begin = clock_mono(), took;
	int ret = verify_one(v, w, direct, e);

	if (v->when != VERIFY_DURING)
		return ret;
	took = clock_mono() - begin;
	v->counters->time_ns += took;
	rest(v, REST * took);
	return ret;
}

/* ---- all of them */

/* One after the other. Which of them are read directly changes with `turn`. Returns how many there were, or
 * -1. */
static int verify_all(struct verification *v, uint64_t turn, struct error *e)
{
	int count = 0;

	for (size_t i = 0; i < v->witness_lists; i++) {
		struct witness *w;

		for (uint64_t at = 0; (w = witness_next(v->witnesses[i], at));
		     at = w->number, witness_put(w)) {
			bool direct = v->when != VERIFY_REMOUNTED && (turn + w->number) % 2;

			if (*v->stop || verify_witness(v, w, direct, e) != 0) {
				witness_put(w);
				return *v->stop ? count : -1;
			}
			count++;
		}
	}
	return count;
}

static bool is_witness(const struct verification *v, const char *name)
{
	for (size_t i = 0; i < v->witness_lists; i++) {
		const struct witness_list *l = v->witnesses[i];

		for (unsigned int k = 0; k < l->live; k++) {
			if (strcmp(l->witness[k]->path + sizeof(WITNESS_DIR), name) == 0)
				return true;
		}
	}
	return false;
}

/* While no worker runs: what was deleted must be gone. (What must be there is opened.) */
static void find_extra(struct verification *v)
{
	int fd = openat(v->mount, WITNESS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	struct check c;

	check_start(&c, v, "snapshots", place_of(v, false));
	if (!dir) {
		check_report_path(&c, WITNESS_DIR, "", check_errno_class(errno), "open: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((d = readdir(dir))) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 && !is_witness(v, d->d_name))
			check_report_path(&c, WITNESS_DIR, d->d_name, FINDING_EXTRA,
					  "a snapshot that must not be there");
	}
	closedir(dir);
	check_end(&c);
}

static int snapshots_run(struct verification *v, struct error *e)
{
	uint64_t turn = v->counters->witnesses;
	int count;

	if (v->when != VERIFY_DURING) {
		find_extra(v);
		return MIN(verify_all(v, turn, e), 0);
	}
	while (!*v->stop) {
		count = verify_all(v, turn++, e);
		if (count < 0)
			return -1;
		if (!count)
			rest(v, IDLE);
	}
	return 0;
}

const struct verifier verifier_snapshots = {
	.name = "snapshots",
	.summary = "read-only snapshots against the models frozen with them, hot and cold by turns",
	.needs = NEED_BTRFS,
	.when = VERIFY_DURING,
	.run = snapshots_run,
};
