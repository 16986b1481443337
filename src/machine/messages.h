/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the children say to the guard, each message one packet of a SOCK_SEQPACKET pair: a header, then the
 * body. Requests are answered with one int32_t: 0 or an errno.
 */
#ifndef RECOW_MESSAGES_H
#define RECOW_MESSAGES_H

#include "src/machine/machine.h"

enum message_kind {
	MESSAGE_SET = 1,    /* struct message_set */
	MESSAGE_MEMORY,     /* struct message_memory */
	MESSAGE_FINDING,    /* struct finding */
	MESSAGE_NOTE,       /* struct message_note: a line for the timeline */
	MESSAGE_ERROR,      /* struct error: the child cannot go on; what it says is the run's error */
	MESSAGE_DURABLE,    /* sync the journals now; answered when done */
	MESSAGE_CHECKPOINT, /* write the models in shared memory to RUN/model/, drop journals behind; answered
			       when done */
	MESSAGE_FREEZE,  /* struct message_freeze and the descriptor of the target's root; answered when the
			    filesystem is frozen */
	MESSAGE_THAW,    /* answered when it is thawed */
	MESSAGE_PAGES,   /* struct message_pages; answered when all have been tried */
	MESSAGE_SWAP,    /* struct message_swap */
	MESSAGE_DIMM,    /* struct message_dimm; answered when the module is there, or gone */
	MESSAGE_MAPPING, /* struct machine_way; answered when it is so, and a hold is over */
	MESSAGE_SYNCED,  /* struct message_synced: the whole target was written out; for the timeline */
	MESSAGE_STEPS,   /* struct message_steps: steps of an injector began; for a replay */
	MESSAGE_FAULT,   /* struct message_fault: the target is about to fail; answered when that is known to
			    all */
	MESSAGE_FAULT_MADE, /* struct message_fault_made: it has failed, or does not; answered at once */
	MESSAGE_FAULT_OVER, /* answered when what is below the target is whole */
};

struct message_set {
	char path[256];
	char value[128];
	uint64_t limit; /* ns */
};

struct message_memory {
	uint32_t block;
	char state[16];
	uint64_t limit;
};

struct message_swap {
	char device[16]; /* "zram0" */
	uint64_t bytes;
	uint64_t limit; /* ns */
};

struct message_dimm {
	uint32_t number;
	bool plugged;
	uint64_t limit; /* ns */
};

struct message_pages {
	bool give_back; /* else: take from use */
	uint32_t count;
	uint64_t limit;              /* ns */
	uint64_t pfn[MACHINE_PAGES]; /* page frame numbers in one memory block */
};

struct message_freeze {
	uint64_t limit; /* ns */
};

struct message_note {
	char who[32];
	char text[480];
};

struct message_synced {
	char how[32];
	uint64_t begin, end; /* CLOCK_MONOTONIC, ns: what was done before its begin is on disk at its end */
};

struct message_steps {
	uint32_t round, phase;
	uint64_t at;    /* operations of all workers when the first one began */
	uint64_t count; /* how many, close together */
};

struct message_fault {
	char how[64];
	uint64_t linger; /* ns */
};

struct message_fault_made {
	int32_t err;
};

/* A packet: the kind, then the body. */
#define MESSAGE_BYTES 65536U

/* Send one message. Returns 0 or an errno. Any thread; packets don't mix. */
int message_send(int socket, enum message_kind kind, const void *body, size_t len);

/* Send one that is answered and wait for the answer: 0 or an errno. One thread at a time per socket. */
int message_ask(int socket, enum message_kind kind, const void *body, size_t len);

/* The same, with a descriptor for the guard; it stays open here. -1: none. */
int message_ask_passing(int socket, enum message_kind kind, const void *body, size_t len, int descriptor);

/* The guard's side: read one packet without waiting, its body into `body` (aligned for any message), and the
 * descriptor that came with it into *passed (-1: none), which the caller closes. Returns the body's length,
 * -1 when there is no packet, -2 when the other end is gone. */
long message_receive(int socket, uint32_t *kind, void *body, size_t room, int *passed);

/* The guard's side: answer a request. The asker may be gone; that is no error here. */
void message_answer(int socket, int32_t answer);

#endif
