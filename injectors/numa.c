/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages move from one NUMA node to the next.
 *
 *	cache	(default) move_pages() of the target's page cache, through mappings of random files
 *	churn	migrate_pages() of churn's own memory, with the pages of the target that it has mapped
 *	both	by turns
 *
 * Where pages lie is nothing that has to be put back: nobody's memory policy is changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "injectors/census.h"
#include "injectors/injector.h"
#include "injectors/walk.h"

#define NODES_MAX 1024  /* MAX_NUMNODES of the kernels in use */
#define PAGES     1024U /* moved with one call: it lasts some milliseconds */

#define NODE_FILE "/sys/devices/system/node/has_memory"

enum { PAUSE };

static const struct param numa_params[] = {
	[PAUSE] = {.name = "pause",
		   .summary = "between two moves",
		   .unit = PARAM_DURATION,
		   .fallback = "1ms",
		   .min = 0,
		   .max = 60 * NSEC_PER_SEC},
};

static const char *const numa_args[] = {"cache", "churn", "both", NULL};

/* A stretch of a mapping, page by page. */
struct batch {
	unsigned int count;
	void *page[PAGES];
	int from[PAGES], to[PAGES], status[PAGES];
	bool dirty[PAGES];
};

struct mover {
	struct census census;
	int pagemap, root;
	uint64_t page; /* bytes */
	unsigned int turn;
	size_t nodes;
	unsigned int node[NODES_MAX];
	struct batch batch;
};

static int next_node(const struct mover *m, int node)
{
	for (size_t i = 0; i < m->nodes; i++) {
		if ((int)m->node[i] == node)
			return (int)m->node[(i + 1) % m->nodes];
	}
	return (int)m->node[0];
}

/* ---- the target's cache ---- */

/* The frame behind an address of this process (Documentation/admin-guide/mm/pagemap.rst: bits 0-54, present
 * in bit 63). */
static bool is_dirty(const struct mover *m, const void *address)
{
	uint64_t entry;
	off_t at = (off_t)((uintptr_t)address / m->page * sizeof(entry));

	if (m->pagemap < 0 || pread(m->pagemap, &entry, sizeof(entry), at) != sizeof(entry) ||
	    !(entry >> 63 & 1))
		return false;
	return census_flags(&m->census, entry & ((1ULL << 55) - 1)) >> KPF_DIRTY & 1;
}

/* Where each page is, and where it is to go. A page that is on no node (it went away) stays out. */
static int plan_moves(struct mover *m, char *map, size_t len)
{
	struct batch *b = &m->batch;
	unsigned int kept = 0;

	b->count = (unsigned int)(len / m->page);
	for (unsigned int i = 0; i < b->count; i++)
		b->page[i] = map + i * m->page;
	if (syscall(SYS_move_pages, 0, (unsigned long)b->count, b->page, NULL, b->from, 0))
		return -1;
	for (unsigned int i = 0; i < b->count; i++) {
		if (b->from[i] < 0)
			continue;
		b->page[kept] = b->page[i];
		b->from[kept] = b->from[i];
		b->to[kept] = next_node(m, b->from[i]);
		b->dirty[kept] = is_dirty(m, b->page[i]);
		kept++;
	}
	b->count = kept;
	return 0;
}

static enum step move_batch(struct injection *in, struct mover *m)
{
	struct batch *b = &m->batch;
	uint64_t pages = 0, dirty = 0;

	if (!b->count)
		return inject_idle(in, "the file drawn is not in memory");
	/* A positive answer is the number of pages that did not move; the status has each. */
	if (syscall(SYS_move_pages, 0, (unsigned long)b->count, b->page, b->to, b->status, MPOL_MF_MOVE_ALL) <
	    0)
		return inject_idle(in, "move_pages: %s", strerror(errno));
	for (unsigned int i = 0; i < b->count; i++) {
		if (b->status[i] != b->to[i] || b->to[i] == b->from[i])
			continue;
		pages++;
		dirty += b->dirty[i];
	}
	atomic_fetch_add(&in->exposure->pages, pages);
	atomic_fetch_add(&in->exposure->dirty, dirty);
	return pages ? STEP_DONE : STEP_REFUSED;
}

/* Only mapped pages can be moved, so they are mapped first; reading through the mapping would be a SIGBUS
 * where the file shrinks, populating it is an error. */
static enum step move_mapped(struct injection *in, struct mover *m, int fd, uint64_t size)
{
	uint64_t pages = MAX(size / m->page, 1ULL);
	uint64_t first = stream_below(&in->random, pages);
	size_t len = (size_t)MIN(pages - first, (uint64_t)PAGES) * m->page;
	char *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)(first * m->page));
	enum step step;

	if (map == MAP_FAILED)
		return inject_idle(in, "no mapping: %s", strerror(errno));
	if (madvise(map, len, MADV_POPULATE_READ) && errno == EINVAL)
		step = inject_idle(in, "this kernel can't populate a mapping (MADV_POPULATE_READ)");
	else if (plan_moves(m, map, len))
		step = inject_idle(in, "move_pages: %s", strerror(errno));
	else
		step = move_batch(in, m);
	munmap(map, len);
	return step;
}

static enum step move_cache(struct injection *in, struct mover *m)
{
	struct walk_file file;
	struct stat st;
	enum step step;

	if (walk_random(m->root, &in->random, &file))
		return inject_idle(in, "the target has no file to move");
	if (fstat(file.fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		step = inject_idle(in, "the file drawn holds nothing");
	else
		step = move_mapped(in, m, file.fd, (uint64_t)st.st_size);
	close(file.fd);
	return step;
}

/* ---- churn ---- */

#define WORD_BITS (8 * sizeof(unsigned long))

static void set_node(unsigned long *mask, unsigned int node)
{
	mask[node / WORD_BITS] |= 1UL << node % WORD_BITS;
}

/* From one node to the next; which one goes round. */
static enum step move_churn(struct injection *in, struct mover *m)
{
	unsigned long from[NODES_MAX / WORD_BITS] = {0}, to[NODES_MAX / WORD_BITS] = {0};
	unsigned int node = m->node[m->turn++ % m->nodes];
	uint64_t before = machine_vmstat("pgmigrate_success"), pages;
	long left;

	if (in->churn <= 0)
		return inject_idle(in, "churn has no worker yet");
	set_node(from, node);
	set_node(to, (unsigned int)next_node(m, (int)node));
	/* The kernel takes one bit less than it is told. */
	left = syscall(SYS_migrate_pages, in->churn, (unsigned long)NODES_MAX + 1, from, to);
	if (left < 0)
		return inject_idle(in, "migrate_pages: %s", strerror(errno));
	pages = machine_vmstat("pgmigrate_success") - before;
	atomic_fetch_add(&in->exposure->pages, pages);
	return pages ? STEP_DONE : inject_idle(in, "churn has nothing on node %u", node);
}

/* ---- the injector ---- */

static int numa_start(struct injection *in, struct error *e)
{
	struct mover *m = inject_state(in, sizeof(*m), e);

	if (!m)
		return -1;
	m->root = -1;
	m->page = (uint64_t)sysconf(_SC_PAGESIZE);
	m->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	census_open(&m->census);
	m->nodes = machine_list(NODE_FILE, m->node, NODES_MAX);
	if (m->nodes < 2)
		return error_set(e, EXIT_CANNOT, "all memory is on one node");
	return 0;
}

static int numa_phase(struct injection *in, struct error *e)
{
	struct mover *m = in->state;

	if (in->target < 0)
		return error_set(e, EXIT_CANNOT, "the target is not mounted");
	m->root = openat(in->target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return m->root < 0 ? error_errno(e, EXIT_CANNOT, errno, "cannot open the target") : 0;
}

static enum step numa_step(struct injection *in)
{
	struct mover *m = in->state;
	bool both = !strcmp(in->phase_arg, "both"), churn = !strcmp(in->phase_arg, "churn");
	enum step step =
		churn || (both && stream_chance(&in->random, 2)) ? move_churn(in, m) : move_cache(in, m);

	inject_pause(in, in->params->value[PAUSE]);
	return step;
}

static void numa_rest(struct injection *in)
{
	struct mover *m = in->state;

	if (m->root >= 0)
		close(m->root);
	m->root = -1;
}

static void numa_finish(struct injection *in)
{
	struct mover *m = in->state;

	if (!m)
		return;
	if (m->pagemap >= 0)
		close(m->pagemap);
	census_close(&m->census);
	free(m);
	in->state = NULL;
}

const struct injector injector_numa = {
	.name = "numa",
	.summary = "pages moved from one NUMA node to the next",
	.needs = NEED_ROOT | NEED_NUMA,
	.params = numa_params,
	.param_count = ARRAY_SIZE(numa_params),
	.phase_args = numa_args,
	.start = numa_start,
	.phase = numa_phase,
	.step = numa_step,
	.rest = numa_rest,
	.finish = numa_finish,
};
