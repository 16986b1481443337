/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run from its directory to its verdict. What comes in which order, and why: docs/guard.md. */
#include "src/guard/guard.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/guard/cgroup.h"
#include "src/guard/count.h"
#include "src/guard/leftover.h"
#include "src/guard/limits.h"
#include "src/guard/mounts.h"
#include "src/guard/state.h"
#include "src/guard/tracing.h"
#include "src/guard/write.h"
#include "src/run/exposure.h"
#include "src/run/rundir.h"
#include "src/target/mapping.h"

/* Models may take this part of the machine's memory; the mapping is sparse. */
#define POOL_PART 2
#define POOL_MIN  (256 * MiB)

/* ---- before ---- */

/* Keep what the guard has now in memory, so that it gets on while others thrash. Not the shared mappings that
 * come later: they are sparse and would be filled. Without CAP_IPC_LOCK or a high enough limit it goes
 * without. */
static void stay_in_memory(struct guard *g)
{
	if (mlockall(MCL_CURRENT))
		guard_say(g, "the guard's memory can't be locked: %s", strerror(errno));
	/* Needs CAP_SYS_RESOURCE; the children's higher values protect the guard well enough. */
	write_value("/proc/self/oom_score_adj", "-900");
}

static void take_lock(struct guard *g, struct plan *p)
{
	char reason[sizeof(p->no_inject_reason)];

	g->facts.injected = p->inject && p->injection_count;
	if (!g->facts.injected)
		return;
	g->locked = lock_take(&g->lock, LOCK_DIR, g->run, reason, sizeof(reason));
	if (g->locked)
		return;
	p->inject = false;
	p->target.mapped = false;
	memcpy(p->no_inject_reason, reason, sizeof(p->no_inject_reason));
}

/* What the children mount goes with them. */
static bool leave_mount_namespace(struct guard *g)
{
	int err = mounts_private();

	if (err)
		guard_say(g, "no private mount namespace: %s", strerror(err));
	return !err;
}

static int mkdir_work(void *arg, int socket)
{
	return mkdir(arg, 0755) ? errno : 0;
}

static int control_work(void *arg, int socket)
{
	return write_value(arg, "+memory");
}

static void make_cgroup(struct guard *g)
{
	struct shared *s = g->shared;
	char name[64], control[PATH_MAX];
	struct stat st;
	int err;

	snprintf(name, sizeof(name), "recow-%d", (int)getpid());
	err = cgroup_choose(name, s->cgroup, sizeof(s->cgroup), control, sizeof(control));
	if (!err && control[0])
		err = undo_note_now(&g->undo, "control", control, "");
	if (!err && control[0])
		err = hand_do(control_work, control, 3 * NSEC_PER_SEC, NULL);
	if (!err)
		err = undo_note_now(&g->undo, "rmdir", s->cgroup, "");
	if (!err)
		err = hand_do(mkdir_work, s->cgroup, 3 * NSEC_PER_SEC, NULL);
	if (!err && stat(s->cgroup, &st))
		err = errno;
	if (!err) {
		s->cgroup_inode = st.st_ino;
		return;
	}
	s->cgroup[0] = '\0';
	guard_say(g, "no memory cgroup for churn: %s", strerror(err));
}

/* Without these an injector can't tell the target's pages. */
static void look_at_pages(struct shared *s)
{
	const uint64_t both = 1ULL << MEASURE_DIRTY | 1ULL << MEASURE_WRITEBACK;
	static const char what[] = "dirty and writeback pages moved";

	if (!s->cgroup_inode)
		exposure_hidden(s, both, what, "churn has no memory cgroup of its own");
	else if (access("/proc/kpageflags", R_OK) || access("/proc/kpagecgroup", R_OK))
		exposure_hidden(s, both, what, "/proc/kpageflags and /proc/kpagecgroup can't be read: %s",
				strerror(errno));
}

static int exists_work(void *arg, int socket)
{
	struct stat st;

	return lstat(arg, &st) ? errno : 0;
}

/* The run's directory in somebody's filesystem. What is there already is not the run's: churn will refuse. */
static int note_directory(struct guard *g, const struct target_spec *t)
{
	char name[256], path[PATH_MAX];

	rundir_path(path, sizeof(path), t->path, target_subdir_name(name, sizeof(name), g->run));
	if (hand_do(exists_work, path, 3 * NSEC_PER_SEC, NULL) != ENOENT)
		return 0;
	return undo_note_now(&g->undo, "tree", path, "");
}

/* Its like on a device or image. */
static int note_subdir(struct guard *g, const struct target_spec *t)
{
	char old[UNDO_OLD];
	int err = leftover_describe(t, g->run, old, sizeof(old));

	return err ? err : undo_note_now(&g->undo, "subdir", t->path, old);
}

/* What churn will make. It is undone in reverse: the mount goes before what lies in it is removed. */
static int note_target(struct guard *g, struct error *e)
{
	const struct target_spec *t = &g->shared->plan.target;
	char path[PATH_MAX];
	int err = 0;

	if (t->kind == TARGET_DIRECTORY)
		err = note_directory(g, t);
	if ((t->kind == TARGET_DEVICE || t->kind == TARGET_IMAGE) && !t->mkfs)
		err = note_subdir(g, t);
	if (t->kind == TARGET_AUTO)
		err = undo_note_now(&g->undo, "unlink", rundir_path(path, sizeof(path), g->run, "image"), "");
	if (!err && t->mapped)
		err = undo_note_now(&g->undo, "mapping", mapping_name(path, MAPPING_NAME, g->run), "");
	if (!err && t->kind != TARGET_DIRECTORY)
		err = undo_note_now(&g->undo, "umount", rundir_path(path, sizeof(path), g->run, "mnt"), "");
	return err ? error_errno(e, EXIT_CANNOT, err, "cannot write %s", g->undo.path) : 0;
}

static int write_plan(const struct guard *g, struct error *e)
{
	char path[PATH_MAX];
	FILE *file = fopen(rundir_path(path, sizeof(path), g->run, "plan.txt"), "we");

	if (!file)
		return error_errno(e, EXIT_CANNOT, errno, "cannot make %s", path);
	plan_print(&g->shared->plan, file);
	if (fclose(file))
		return error_errno(e, EXIT_CANNOT, errno, "cannot write %s", path);
	return 0;
}

static uint64_t pool_bytes(void)
{
	uint64_t bytes = machine_meminfo_kib("MemTotal") * KiB / POOL_PART;

	return round_up_u64(MAX(bytes, POOL_MIN), 2 * MiB);
}

static int make_shared(struct guard *g, const struct plan *plan, struct error *e)
{
	g->pool_bytes = pool_bytes();
	g->shared = shared_make(plan, g->pool_bytes, e);
	if (!g->shared)
		return -1;
	mlock(g->shared, sizeof(*g->shared)); /* counters and flags; as far as the limit allows */
	if (shared_keep_rings(g->shared, g->run) && plan->journal_tail[0])
		return error_errno(e, EXIT_CANNOT, errno, "--journal-tail %s", plan->journal_tail);
	return 0;
}

/* From here on there is something to undo. */
static int prepare(struct guard *g, const struct plan *asked, struct error *e)
{
	struct error no_log;

	if (make_shared(g, asked, e) || undo_create(&g->undo, g->run, e))
		return -1;
	take_lock(g, &g->shared->plan);
	if (timeline_open(&g->timeline, g->run, g->shared->start_mono, e) ||
	    steps_open(&g->steps, g->run, e) || clerk_open(g, e) || write_plan(g, e))
		return -1;
	if (!g->shared->plan.inject && g->facts.injected)
		guard_say(g, "without injectors: %s", g->shared->plan.no_inject_reason);
	if (kmsg_open(&g->kmsg, g->run, &no_log))
		guard_say(g, "%s: kernel messages are not judged", no_log.text);
	make_cgroup(g);
	tracing_prepare(g, leave_mount_namespace(g));
	look_at_pages(g->shared);
	return note_target(g, e);
}

/* ---- signals ---- */

/* What must neither end nor stop the guard, since there is something to undo: a closed pipe, a limit on the
 * size of files, Ctrl-Z. The children inherit it. */
static const int ignored_signals[] = {SIGPIPE, SIGXFSZ, SIGTSTP};

/* What ends a run, in order. */
static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

struct signals_before {
	sigset_t mask;
	struct sigaction ignored[ARRAY_SIZE(ignored_signals)], child;
};

/* The guard reads them. */
static int take_over_signals(struct guard *g, struct signals_before *before, struct error *e)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};
	sigset_t mine;

	sigemptyset(&mine);
	sigaddset(&mine, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(ending_signals); i++)
		sigaddset(&mine, ending_signals[i]);
	sigprocmask(SIG_BLOCK, &mine, &before->mask);
	for (size_t i = 0; i < ARRAY_SIZE(ignored_signals); i++)
		sigaction(ignored_signals[i], &ignore, &before->ignored[i]);
	sigaction(SIGCHLD, &standard, &before->child);
	g->signals = signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
	if (g->signals < 0)
		return error_errno(e, EXIT_CANNOT, errno, "cannot take over signals");
	return 0;
}

static void give_signals_back(struct guard *g, const struct signals_before *before)
{
	struct signalfd_siginfo seen;

	/* Those that came while the run was ending have had their effect. */
	while (g->signals >= 0 && read(g->signals, &seen, sizeof(seen)) > 0)
		;
	if (g->signals >= 0)
		close(g->signals);
	for (size_t i = 0; i < ARRAY_SIZE(ignored_signals); i++)
		sigaction(ignored_signals[i], &before->ignored[i], NULL);
	sigaction(SIGCHLD, &before->child, NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* ---- after ---- */

static void said(void *self, const struct undo_entry *entry, int err)
{
	struct guard *g = self;
	char line[UNDO_TEXT];

	undo_show(entry, err, line, sizeof(line));
	timeline_event(&g->timeline, "undo", "{s:s, s:s, s:i}", "kind", entry->kind->name, "text", line,
		       "errno", err);
	if (err && g->listener->note)
		g->listener->note(g->listener->self, line);
}

static void mark_all(struct guard *g, const char *kind)
{
	for (unsigned int i = 0; i < g->undo.count; i++) {
		struct undo_entry *entry = &g->undo.entry[i];

		if (!entry->done && entry->kind == undo_kind_by_name(kind))
			undo_mark(&g->undo, entry);
	}
}

/* The target is evidence after a finding, and the user's with --keep: its image, or the run's directory. */
static void keep_evidence(struct guard *g)
{
	if (!g->shared->plan.keep && !atomic_load(&g->shared->findings))
		return;
	mark_all(g, "unlink");
	mark_all(g, "tree");
	mark_all(g, "subdir");
}

void guard_go_on(struct guard *g)
{
	const struct undo_listener listener = {.self = g, .said = said};

	undo_kind_now(&g->undo, "table", &listener);
}

int guard_make_whole(struct guard *g)
{
	const struct undo_kind *table = undo_kind_by_name("table");
	int err = 0;

	guard_go_on(g);
	for (unsigned int i = 0; i < g->undo.count; i++) {
		const struct undo_entry *entry = &g->undo.entry[i];

		if (!entry->done && entry->kind == table)
			err = entry->err ? entry->err : EIO;
	}
	return err;
}

void guard_relieve(struct guard *g)
{
	const struct undo_listener listener = {.self = g, .said = said};

	for (unsigned int i = 1; i < DOORS; i++)
		door_close(g, &g->door[i]);
	guard_go_on(g);
	undo_below(&g->undo, g->shared->cgroup, &listener);
}

static void put_back(struct guard *g)
{
	struct undo_listener listener = {.self = g, .said = said};

	keep_evidence(g);
	/* Not made, or removed by churn: the target need not be mounted again for it. */
	if (!g->shared->target.subdir_made)
		mark_all(g, "subdir");
	g->facts.left = undo_run(&g->undo, &listener);
	/* A hand that hangs may yet make its change, when the kernel lets go of it. */
	g->facts.left += lost_last(g);
}

static void judge_fault(const struct shared *s, struct fault_facts *x)
{
	const struct verify_counters *c = shared_durable(s);
	const struct fault *f = &s->fault;

	*x = (struct fault_facts){
		.wanted = plan_makes_fail(&s->plan),
		.happened = atomic_load(&f->at),
		.compared = atomic_load(&f->compared),
		.who = f->who,
		.how = f->how,
		.at = atomic_load(&f->at) - s->start_mono,
		.excused = atomic_load(&f->excused),
		.lines = atomic_load(&f->lines),
	};
	if (!c)
		return;
	x->objects = atomic_load(&c->kept[DURABLE_OBJECTS]);
	x->names = atomic_load(&c->kept[DURABLE_NAMES]);
	x->blocks = atomic_load(&c->kept[DURABLE_BLOCKS]);
	x->snapshots = atomic_load(&c->witnesses);
}

static void judge(struct guard *g, struct outcome *out)
{
	const struct plan *p = &g->shared->plan;
	struct counts c;

	count_all(g->shared, &c);
	g->facts.limited = p->duration || p->rounds || p->ops || p->replay[0];
	g->facts.rounds = c.rounds;
	for (unsigned int i = 0; i < MEASURES; i++)
		g->facts.exposure[i] = atomic_load(&g->shared->trials[i]);
	g->facts.unseen = exposure_unseen(g->shared);
	g->facts.least = p->min_exposure;
	g->facts.operations = c.operations;
	g->facts.verified_bytes = c.verified_bytes;
	if (g->timeline.err)
		guard_fail(g, "the run directory can't be written: %s", strerror(g->timeline.err));
	judge_fault(g->shared, &g->facts.fault);
	outcome_decide(&g->facts, out);
}

/* Children first, since they hold what is to be undone; the undo before the verdict. */
static void wind_up(struct guard *g, struct outcome *out)
{
	freeze_close(g);
	for (unsigned int i = 0; i < DOORS; i++)
		door_close(g, &g->door[i]);
	clerk_finish(g);
	put_back(g);
	if (g->repeats.left_out)
		guard_say(g,
			  "%llu wrong answers and kernel log lines repeat findings of their round: not "
			  "reported again",
			  (unsigned long long)g->repeats.left_out);
	judge(g, out);
	timeline_event(&g->timeline, "end", "{s:i, s:s}", "exit", (int)out->exit, "verdict", out->verdict);
}

static void close_all(struct guard *g)
{
	lock_release(&g->lock, g->undo.closed);
	undo_free(&g->undo);
	kmsg_close(&g->kmsg);
	timeline_close(&g->timeline);
	steps_close(&g->steps);
	shared_free(g->shared, g->pool_bytes);
	munlockall();
}

static void init(struct guard *g, const struct guard_listener *listener, const char *run)
{
	*g = (struct guard){.listener = listener,
			    .signals = -1,
			    .lock = {.fd = -1, .dir = LOCK_DIR},
			    .undo = {.fd = -1},
			    .timeline = {.events = -1},
			    .steps = {.fd = -1},
			    .kmsg = {.device = -1, .copy = -1},
			    .freeze = {.hand = {.socket = -1}, .order = {.root = -1}},
			    .churn = {.name = "churn"},
			    .disturb = {.name = "disturb"}};
	snprintf(g->run, sizeof(g->run), "%s", run);
	for (unsigned int i = 0; i < DOORS; i++)
		door_open(&g->door[i], "", -1);
}

/* A run that could not begin leaves no machine changed either. */
static int give_up(struct guard *g, const struct guard_children *children)
{
	struct outcome none;

	family_kill(&g->churn);
	while (!family_look(g, &g->churn))
		sleep_ns(10 * NSEC_PER_MSEC);
	if (g->shared && g->undo.fd >= 0)
		wind_up(g, &none);
	return -1;
}

static int execute(struct guard *g, const struct plan *plan, const struct guard_children *children,
		   struct outcome *out, struct error *e)
{
	stay_in_memory(g);
	if (prepare(g, plan, e) || family_start(g, children, e))
		return give_up(g, children);
	if (g->listener->started)
		g->listener->started(g->listener->self, g->shared);
	guard_loop(g);
	wind_up(g, out);
	/* Before the first round churn can only say why it could not begin. */
	if (g->churn_failed && !atomic_load(&g->shared->round) && out->exit == EXIT_HARNESS && !out->left) {
		*e = g->error;
		return -1;
	}
	if (g->listener->ended)
		g->listener->ended(g->listener->self, g->shared, out);
	return 0;
}

int guard_run(const struct plan *plan, const struct guard_children *children,
	      const struct guard_listener *listener, struct outcome *out, struct error *e)
{
	struct signals_before before;
	struct guard *g;
	int result;

	if (limits_raise(plan->workers, e) || rundir_make(plan->output, e))
		return -1;
	g = malloc(sizeof(*g));
	if (!g)
		return error_errno(e, EXIT_CANNOT, ENOMEM, "guard");
	init(g, listener, plan->output);
	result = take_over_signals(g, &before, e);
	if (!result)
		result = execute(g, plan, children, out, e);
	close_all(g);
	give_signals_back(g, &before);
	free(g);
	return result;
}
