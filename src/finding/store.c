/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings on disk (docs/formats.md, "findings.jsonl"). 64-bit numbers that are hashes or addresses are
 * hexadecimal strings: JSON readers round numbers above 2^53. */
#include "src/finding/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/json.h"
#include "src/finding/attribute.h"
#include "src/finding/looks.h"

/* ---- writing */

static json_t *json_hex(uint64_t n)
{
	return json_sprintf("%016" PRIx64, n);
}

static const char *range_class(unsigned int class)
{
	return class < FINDING_CLASSES ? finding_class_name(class) : "expected";
}

static json_t *ranges_to_json(const struct finding *f)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < f->ranges && i < FINDING_RANGES; i++) {
		const struct finding_range *r = &f->range[i];

		json_array_append_new(
			list, json_pack("{s:i, s:i, s:s, s:I, s:I, s:I, s:I, s:i}", "start", (int)r->start,
					"length", (int)r->length, "class", range_class(r->class), "worker",
					(json_int_t)r->origin.worker, "operation",
					(json_int_t)r->origin.operation, "object", (json_int_t)r->object,
					"offset", (json_int_t)r->offset, "bits", (int)r->bits));
	}
	return list;
}

static json_t *mirrors_to_json(const struct finding *f)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < f->mirrors && i < FINDING_MIRRORS; i++)
		json_array_append_new(list, json_pack("{s:I, s:o}", "devid", (json_int_t)f->mirror[i].devid,
						      "physical", json_hex(f->mirror[i].physical)));
	return list;
}

json_t *finding_json(unsigned int number, const struct finding *f)
{
	json_t *j = json_pack("{s:I, s:s, s:s, s:o, s:I, s:I, s:I}", "number", (json_int_t)number, "class",
			      finding_class_name(f->class), "place", finding_place_name(f->place), "verifier",
			      json_text(f->verifier), "time_ns", (json_int_t)f->time, "round",
			      (json_int_t)f->round, "phase", (json_int_t)f->phase);

	json_object_set_new(j, "worker", json_integer(f->worker));
	json_object_set_new(j, "object", json_integer(f->object));
	json_object_set_new(j, "operation", json_integer((json_int_t)f->operation));
	json_object_set_new(j, "path", json_text(f->path));
	json_object_set_new(j, "offset", json_integer((json_int_t)f->offset));
	json_object_set_new(j, "length", json_integer((json_int_t)f->length));
	json_object_set_new(j, "expected_hash", json_hex(f->expected_hash));
	json_object_set_new(j, "found_hash", json_hex(f->found_hash));
	json_object_set_new(j, "detail", json_text(f->detail));
	json_object_set_new(j, "still", json_boolean(f->still));
	json_object_set_new(j, "tear", json_integer(f->tear));
	looks_to_json(f, j);
	attribute_to_json(f, j);
	json_object_set_new(j, "logical", json_hex(f->logical));
	json_object_set_new(j, "ranges", ranges_to_json(f));
	json_object_set_new(j, "mirrors", mirrors_to_json(f));
	json_object_set_new(j, "dumps", json_boolean(f->dumps));
	return j;
}

static int write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(const char *path, int flags, const void *bytes, size_t len, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	int err = 0;

	if (fd < 0)
		return error_errno(e, EXIT_HARNESS, errno, "cannot write %s", path);
	if (write_all(fd, bytes, len))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	return err ? error_errno(e, EXIT_HARNESS, err, "cannot write %s", path) : 0;
}

static int store_dump(const char *run, unsigned int number, const char *kind, const unsigned char *bytes,
		      struct error *e)
{
	char path[4096 + 64];

	snprintf(path, sizeof(path), "%s/findings", run);
	if (mkdir(path, 0755) && errno != EEXIST)
		return error_errno(e, EXIT_HARNESS, errno, "cannot make %s", path);
	snprintf(path, sizeof(path), "%s/findings/%04u.%s", run, number, kind);
	return write_file(path, O_TRUNC, bytes, BLOCK_SIZE, e);
}

/* A line that a death cut off would swallow the next one: give it its newline first. */
static bool ends_amid_line(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char last = '\n';
	off_t size;

	if (fd < 0)
		return false;
	size = lseek(fd, 0, SEEK_END);
	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

int finding_store(const char *run, unsigned int number, const struct finding *f, struct error *e)
{
	char path[4096 + 64];
	char *text, *line;
	json_t *j;
	int len, ret;

	/* The dumps first: a line says that they are there. */
	if (f->dumps && (store_dump(run, number, "expected", f->expected, e) ||
			 store_dump(run, number, "found", f->found, e)))
		return -1;
	j = finding_json(number, f);
	text = json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(j);
	if (!text)
		return error_set(e, EXIT_HARNESS, "finding %u cannot be put into JSON", number);
	snprintf(path, sizeof(path), "%s/findings.jsonl", run);
	len = asprintf(&line, "%s%s\n", ends_amid_line(path) ? "\n" : "", text);
	free(text);
	if (len < 0)
		return error_errno(e, EXIT_HARNESS, ENOMEM, "finding %u", number);
	ret = write_file(path, O_APPEND, line, (size_t)len, e);
	free(line);
	return ret;
}

/* ---- reading */

static uint64_t get_hex(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text ? strtoull(text, NULL, 16) : 0;
}

static uint64_t get_number(const json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

static void get_text(const json_t *j, const char *key, char *buf, size_t len)
{
	const char *text = json_string_value(json_object_get(j, key));

	snprintf(buf, len, "%s", text ? text : "");
}

static enum finding_place place_by_name(const char *name)
{
	for (int p = SEEN_NOWHERE; p <= SEEN_OFFLINE; p++) {
		if (name && strcmp(finding_place_name((enum finding_place)p), name) == 0)
			return (enum finding_place)p;
	}
	return SEEN_NOWHERE;
}

static void ranges_from_json(const json_t *list, struct finding *f)
{
	json_t *j;
	size_t i;

	json_array_foreach(list, i, j)
	{
		struct finding_range *r = &f->range[i];
		const char *class = json_string_value(json_object_get(j, "class"));
		int known = class ? finding_class_by_name(class) : -1;

		if (i == FINDING_RANGES)
			break;
		r->start = (uint16_t)get_number(j, "start");
		r->length = (uint16_t)get_number(j, "length");
		r->class = (uint8_t)(known < 0 ? FINDING_CLASSES : known);
		r->origin.worker = (uint32_t)get_number(j, "worker");
		r->origin.operation = get_number(j, "operation");
		r->object = (uint32_t)get_number(j, "object");
		r->offset = get_number(j, "offset");
		r->bits = (uint32_t)get_number(j, "bits");
		f->ranges++;
	}
}

static void mirrors_from_json(const json_t *list, struct finding *f)
{
	json_t *j;
	size_t i;

	json_array_foreach(list, i, j)
	{
		if (i == FINDING_MIRRORS)
			break;
		f->mirror[i].devid = get_number(j, "devid");
		f->mirror[i].physical = get_hex(j, "physical");
		f->mirrors++;
	}
}

static void load_dump(const char *run, unsigned int number, const char *kind, unsigned char *bytes,
		      bool *complete)
{
	char path[4096 + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/findings/%04u.%s", run, number, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, bytes, BLOCK_SIZE) != (ssize_t)BLOCK_SIZE)
		*complete = false;
	if (fd >= 0)
		close(fd);
}

/* False: not a finding. */
static bool from_json(const char *run, const json_t *j, unsigned int *number, struct finding *f)
{
	const char *class = json_string_value(json_object_get(j, "class"));
	int known = class ? finding_class_by_name(class) : -1;

	if (known < 0)
		return false;
	memset(f, 0, sizeof(*f));
	*number = (unsigned int)get_number(j, "number");
	f->class = (enum finding_class)known;
	f->place = place_by_name(json_string_value(json_object_get(j, "place")));
	get_text(j, "verifier", f->verifier, sizeof(f->verifier));
	f->time = get_number(j, "time_ns");
	f->round = (uint32_t)get_number(j, "round");
	f->phase = (uint32_t)get_number(j, "phase");
	f->worker = (uint32_t)get_number(j, "worker");
	f->object = (uint32_t)get_number(j, "object");
	f->operation = get_number(j, "operation");
	get_text(j, "path", f->path, sizeof(f->path));
	f->offset = get_number(j, "offset");
	f->length = get_number(j, "length");
	f->expected_hash = get_hex(j, "expected_hash");
	f->found_hash = get_hex(j, "found_hash");
	get_text(j, "detail", f->detail, sizeof(f->detail));
	f->still = json_is_true(json_object_get(j, "still"));
	f->tear = (uint32_t)get_number(j, "tear");
	looks_from_json(j, f);
	attribute_from_json(j, f);
	f->logical = get_hex(j, "logical");
	ranges_from_json(json_object_get(j, "ranges"), f);
	mirrors_from_json(json_object_get(j, "mirrors"), f);
	f->dumps = json_is_true(json_object_get(j, "dumps"));
	if (f->dumps) {
		load_dump(run, *number, "expected", f->expected, &f->dumps);
		load_dump(run, *number, "found", f->found, &f->dumps);
	}
	return true;
}

long finding_load(const char *run, int (*each)(void *self, unsigned int number, const struct finding *f),
		  void *self, struct error *e)
{
	struct finding *f = malloc(sizeof(*f));
	char path[4096 + 64];
	char *line = NULL;
	size_t room = 0;
	long count = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/findings.jsonl", run);
	in = f ? fopen(path, "re") : NULL;
	if (!in) {
		free(f);
		/* No finding was ever stored. */
		return errno == ENOENT ? 0 : error_errno(e, EXIT_CANNOT, errno, "cannot read %s", path);
	}
	while (getline(&line, &room, in) > 0) {
		json_t *j = json_loads(line, 0, NULL);
		unsigned int number;
		int stop = 0;

		if (j && from_json(run, j, &number, f)) {
			count++;
			stop = each(self, number, f);
		}
		json_decref(j);
		if (stop)
			break;
	}
	free(line);
	free(f);
	fclose(in);
	return count;
}
