/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/finding/attribute.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/content/hash.h"

static const char *const attribute_names[ATTRIBUTES] = {
	[ATTRIBUTE_NONE] = "",       [ATTRIBUTE_SIZE] = "size",     [ATTRIBUTE_MODE] = "mode",
	[ATTRIBUTE_OWNER] = "owner", [ATTRIBUTE_GROUP] = "group",   [ATTRIBUTE_LINKS] = "links",
	[ATTRIBUTE_MTIME] = "mtime", [ATTRIBUTE_TARGET] = "target", [ATTRIBUTE_XATTR] = "xattr",
};

static const char *const value_names[VALUES] = {
	[VALUE_UNKNOWN] = "unknown", [VALUE_OLDER] = "older", [VALUE_LATER] = "later",
	[VALUE_FOREIGN] = "foreign", [VALUE_PART] = "part",   [VALUE_NEVER] = "never",
};

const char *attribute_name(enum finding_attribute which)
{
	return attribute_names[which < ATTRIBUTES ? which : ATTRIBUTE_NONE];
}

const char *value_name(enum finding_value value)
{
	return value_names[value < VALUES ? value : VALUE_UNKNOWN];
}

char *attribute_show(char *buf, size_t len, const struct attribute_seen *a)
{
	if (a->which == ATTRIBUTE_XATTR)
		snprintf(buf, len, "xattr user.recow.%u", a->number);
	else
		snprintf(buf, len, "%s", attribute_name((enum finding_attribute)a->which));
	return buf;
}

/* ---- telling values */

void attribute_bytes(struct attribute_seen *a, const void *bytes, size_t len)
{
	a->found = len;
	a->hash = hash_bytes(bytes, len);
}

/* One of any attribute of any object; its own number first, since few bytes fit more than one object. */
static bool find_key(uint64_t run, uint32_t number, uint32_t object, const void *bytes, size_t len,
		     struct content_key *key, uint32_t *found)
{
	*found = number;
	if (content_xattr_key(run, number, object, bytes, len, key))
		return true;
	for (*found = 0; *found < CONTENT_XATTRS; ++*found) {
		if (content_xattr_key(run, *found, object, bytes, len, key))
			return true;
	}
	return false;
}

void attribute_judge_xattr(struct attribute_seen *a, uint64_t run, uint32_t worker, uint32_t object,
			   uint64_t wanted, const void *bytes, size_t len)
{
	struct content_key key;

	attribute_bytes(a, bytes, len);
	if (len < CONTENT_XATTR_TOLD)
		return;
	if (!find_key(run, a->number, object, bytes, len, &key, &a->origin_number)) {
		a->value = VALUE_NEVER;
		return;
	}
	a->origin = key.origin;
	a->object = key.object;
	if (key.origin.worker != worker || key.object != object || a->origin_number != a->number)
		a->value = VALUE_FOREIGN;
	else if (key.origin.operation == wanted)
		a->value = VALUE_PART;
	else
		a->value = key.origin.operation > a->learned ? VALUE_LATER : VALUE_OLDER;
}

char *attribute_describe(char *buf, size_t len, const struct finding *f)
{
	const struct attribute_seen *a = &f->attribute;
	const unsigned long long operation = a->origin.operation;
	char of[32] = "";

	buf[0] = '\0';
	switch ((enum finding_value)a->value) {
	case VALUE_OLDER:
		snprintf(buf, len, ", an older value, set by operation %llu", operation);
		break;
	case VALUE_LATER:
		snprintf(buf, len, ", a later value, set by operation %llu", operation);
		break;
	case VALUE_PART:
		snprintf(buf, len, ", a part of what operation %llu set", operation);
		break;
	case VALUE_FOREIGN:
		if (a->which == ATTRIBUTE_XATTR)
			snprintf(of, sizeof(of), "user.recow.%u of ", a->origin_number);
		snprintf(buf, len, ", set by worker %u operation %llu as %s%sobject %u", a->origin.worker,
			 operation, a->which == ATTRIBUTE_TARGET ? "the target of " : "", of, a->object);
		break;
	case VALUE_NEVER:
		snprintf(buf, len, ", a value that was never ours");
		break;
	case VALUE_UNKNOWN:
	case VALUES:
		break;
	}
	return buf;
}

/* ---- JSON */

void attribute_to_json(const struct finding *f, json_t *j)
{
	const struct attribute_seen *a = &f->attribute;
	json_t *one;

	if (a->which == ATTRIBUTE_NONE)
		return;
	one = json_pack("{s:s, s:b, s:I, s:s, s:I}", "name", attribute_name((enum finding_attribute)a->which),
			"absent", a->absent, "found", (json_int_t)a->found, "value",
			value_name((enum finding_value)a->value), "learned", (json_int_t)a->learned);
	if (a->which == ATTRIBUTE_XATTR)
		json_object_set_new(one, "number", json_integer(a->number));
	if (a->hash)
		json_object_set_new(one, "xxh3", json_sprintf("%016" PRIx64, a->hash));
	if (a->origin.operation) {
		json_object_set_new(one, "worker", json_integer(a->origin.worker));
		json_object_set_new(one, "operation", json_integer((json_int_t)a->origin.operation));
		json_object_set_new(one, "object", json_integer(a->object));
		json_object_set_new(one, "as", json_integer(a->origin_number));
	}
	json_object_set_new(j, "attribute", one);
}

static uint64_t get_number(const json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

/* The number of a word in a list; 0 if it isn't there. */
static uint8_t number_of(const char *const *list, uint8_t count, const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	for (uint8_t i = 0; text && i < count; i++) {
		if (strcmp(list[i], text) == 0)
			return i;
	}
	return 0;
}

void attribute_from_json(const json_t *j, struct finding *f)
{
	const json_t *one = json_object_get(j, "attribute");
	const char *hash = json_string_value(json_object_get(one, "xxh3"));

	f->attribute.which = number_of(attribute_names, ATTRIBUTES, one, "name");
	f->attribute.value = number_of(value_names, VALUES, one, "value");
	f->attribute.absent = json_is_true(json_object_get(one, "absent"));
	f->attribute.number = (uint32_t)get_number(one, "number");
	f->attribute.found = get_number(one, "found");
	f->attribute.hash = hash ? strtoull(hash, NULL, 16) : 0;
	f->attribute.learned = get_number(one, "learned");
	f->attribute.origin.worker = (uint32_t)get_number(one, "worker");
	f->attribute.origin.operation = get_number(one, "operation");
	f->attribute.object = (uint32_t)get_number(one, "object");
	f->attribute.origin_number = (uint32_t)get_number(one, "as");
}
