/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings with all that the run directory knows about them, for whoever must find the cause: grouped by
 * cause, with who wrote what stands there, the object's past from the journal, and on the same timeline what
 * was done to the machine and what the kernel said. Composed when a report is made; it costs a run nothing.
 */
#ifndef RECOW_STORY_H
#define RECOW_STORY_H

#include <jansson.h>
#include <stdio.h>

#include "src/base/error.h"
#include "src/finding/finding.h"
#include "src/report/effects.h"

#define STORY_PAST    5 /* operations of the object that are kept */
#define STORY_MEMBERS 8 /* findings that are named one by one */
#define STORY_WRITERS 5 /* [0]: the write that should be seen there */
#define STORY_EVENTS  6 /* of the machine; of more the oldest but one go */
#define STORY_LINES   4 /* of the kernel log, the newest */
#define STORY_ACTORS  6
#define STORY_VALUES  6 /* attributes that were found wrong */

/* An operation as the journal has it. */
struct story_op {
	bool known;
	uint32_t worker, took;     /* microseconds */
	uint64_t operation, start; /* ns since the start of the run */
	char text[320];            /* as strace would show it, long names cut in their middle */
};

/* A sync of the whole target by an injector. */
struct story_whole_sync {
	bool known;
	uint64_t from; /* ns since the start of the run: what was done before is durable */
	char who[24], how[32];
};

struct story_writer {
	uint32_t worker, object;
	uint64_t operation;
	struct story_op op, sync;      /* sync: the first that made the object durable afterwards */
	struct story_whole_sync whole; /* the first that made all durable afterwards */
};

/* One attribute with the value that was found, and what the journal says of it (values.c). */
struct story_value {
	struct attribute_seen seen; /* seen.value: at first as the finding has it, in the end the verdict */
	char detail[512];
	uint64_t time;              /* when it was found */
	struct story_writer should; /* gave it the value that should be there */
	struct story_writer set;    /* gave it the one that was found */
	struct story_writer origin; /* the operation that seen.origin names */
	struct story_op replaced;   /* took that away again */
	const char *why;            /* it can't be told; NULL else */
	bool whole;                 /* the journal has all operations on the object */
	bool lost;                  /* it had values that the journal doesn't tell */
	bool fits;                  /* the value that should be there, as far as was read, is the one found */
	uint64_t fits_by, set_fits_by; /* times: by so many ns; of `set` likewise */
};

struct story_member {
	unsigned int number;
	char verifier[24];
	uint8_t class, place;
	uint32_t round;
	uint64_t time;
};

/* Something that lasted from one moment to another, ns since the start of the run. */
struct story_event {
	uint64_t from, to;
	char text[400];
};

/* What one injector did in a stretch of time. */
struct story_actor {
	char who[24], word[16]; /* word: what its phase asked for ("cycle"), "" if it did not say */
	unsigned int changes, refused, offline, freezes, steps;
	uint64_t pages, dirty; /* moved; of the target and dirty */
};

struct story {
	struct finding first;
	unsigned int number; /* of that one */
	unsigned int members;
	struct story_member member[STORY_MEMBERS];
	uint64_t from, to; /* bytes of the file that any of them is about */
	uint64_t last;     /* time of the last of them */
	uint64_t past_count;
	struct story_op past[STORY_PAST]; /* ring: past[n % STORY_PAST] */
	unsigned int barriers; /* passed between the write that should be seen and the check, that of the
				  check too */
	uint64_t changed;      /* time of the last operation on it that changed something, 0: none */
	unsigned int writers;
	struct story_writer writer[STORY_WRITERS];
	struct story_op cloned[FINDING_RANGES]; /* foreign: what had cloned it here */
	unsigned int values;
	struct story_value value[STORY_VALUES];
	unsigned int events;
	struct story_event event[STORY_EVENTS];
	uint64_t events_left_out;
	unsigned int lines;
	struct story_event line[STORY_LINES]; /* of the kernel log */
	uint64_t lines_left_out;
	long commits; /* of the filesystem between the last change and the check, -1 unknown */
	struct {
		bool open, entered;
		uint64_t from;
		char label[80];
		unsigned int actors;
		struct story_actor actor[STORY_ACTORS];
	} now; /* events.c: the stretch that is being read */
	double commits_before;
};

struct stories {
	struct story **story;
	unsigned int count, limit;
	unsigned int findings, left_out; /* read; in groups behind the limit */
	char again[2048];                /* what to run to see it again */
	char replay[4200];               /* the same by its journals; "": their first operations are gone */
	bool no_dumps;                   /* the dumps were not kept */
	bool dropped;                    /* of a journal that was read the head is gone */
};

/* Group findings as they come; at most `limit` groups are kept. `run_json`: the run.json of the run. */
void stories_begin(struct stories *s, const json_t *run_json, unsigned int limit);
void stories_add(struct stories *s, unsigned int number, const struct finding *f);

/* Both for all findings of RUN. */
int stories_load(struct stories *s, const char *run, const json_t *run_json, unsigned int limit,
		 struct error *e);
void stories_free(struct stories *s);

/* A record of the journal as its reader hands it over. */
struct story_record {
	uint32_t worker;
	uint64_t run; /* content key */
	const struct journal_record *record;
	const char *const *path; /* escaped; only where stories_want_paths() */
	unsigned int paths;
	const struct effect *effect; /* what it did to attributes */
	unsigned int effects;
	const struct effects *followed; /* all that was followed so far, this record too */
};

/* The journal's reader asks and tells. Does any story want the records of this worker; then, before the first
 * of them, of which operation that is; is this one wanted (then stories_record() with its line); does one
 * want records by path? */
bool stories_want_worker(const struct stories *s, uint32_t worker);
bool stories_want_paths(const struct stories *s);
void stories_journal(struct stories *s, uint32_t worker, uint64_t first);
bool stories_want(const struct stories *s, const struct story_record *r);
void stories_record(struct stories *s, const struct story_record *r, const char *text);

/* A barrier in a worker's journal: all were verified there. */
void stories_barrier(struct stories *s, uint32_t worker, uint64_t start);

/* After the journal: timeline.jsonl, kmsg.log and status.jsonl between the last change and the check. */
void stories_events(struct stories *s, const char *run, const json_t *run_json);

/* What it is by all that is known: foreign bytes that had been cloned here are an older version of the place.
 */
enum finding_class story_class(const struct story *s);

/* values.c: attributes that were found wrong. Take one in; the same of the journal as above, of one story. */
void values_add(struct story *s, const struct finding *f);
bool values_want_worker(const struct story *s, uint32_t worker);
void values_journal(struct story *s, uint32_t worker, uint64_t first);
bool values_want(const struct story *s, const struct story_record *r);
void values_record(struct story *s, const struct story_record *r, const struct story_op *line);

/* Behind the last journal: whose values they are. */
void values_conclude(const struct stories *all, struct story *s);

/* How the run was called, with its seed and without its output directory. Returns buf. */
char *story_again(char *buf, size_t len, const json_t *run_json);

/* How to replay it; "" when that can't be done. Returns buf. */
char *story_replay(char *buf, size_t len, const char *run, const json_t *run_json);

void story_print(const struct stories *all, const struct story *s, FILE *out);
json_t *story_json(const struct stories *all, const struct story *s); /* new reference */

#endif
