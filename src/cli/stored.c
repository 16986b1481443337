/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cli/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Address space for the pages of a model of `size` bytes in its file: loading it page by page fills them less
 * densely. What isn't touched costs nothing. */
static size_t pool_bytes(off_t size)
{
	return round_up_u64((uint64_t)size * 4 + 64 * MiB, PAGE_BYTES);
}

int stored_open(struct stored_model *s, const char *run, uint32_t worker, struct error *e)
{
	char path[4096 + 32];
	struct stat st;
	int fd, ret;

	snprintf(path, sizeof(path), "%s/model/w%04u.model", run, worker);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		error_errno(e, EXIT_USAGE, errno, "%s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	s->bytes = pool_bytes(st.st_size);
	s->mapping = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);
	if (s->mapping == MAP_FAILED) {
		close(fd);
		return error_errno(e, EXIT_HARNESS, errno, "%s: memory for the model", path);
	}
	ret = model_load(&s->model, page_pool_init(s->mapping, s->bytes), fd, e);
	close(fd);
	if (ret) {
		munmap(s->mapping, s->bytes);
		return error_context(e, "%s", path);
	}
	return 0;
}

void stored_close(struct stored_model *s)
{
	model_destroy(&s->model);
	munmap(s->mapping, s->bytes);
}
