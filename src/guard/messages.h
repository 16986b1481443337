/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the children say to the guard, each message one packet of a SOCK_SEQPACKET pair: a header, then the
 * body. Requests (MESSAGE_SET, MESSAGE_MEMORY) are answered with one int32_t: 0 or an errno.
 */
#ifndef RECOW_MESSAGES_H
#define RECOW_MESSAGES_H

#include "src/base/base.h"

enum message_kind {
	MESSAGE_SET = 1,    /* struct message_set */
	MESSAGE_MEMORY,     /* struct message_memory */
	MESSAGE_FINDING,    /* struct finding */
	MESSAGE_NOTE,       /* struct message_note: a line for the timeline */
	MESSAGE_ERROR,      /* struct error: the child cannot go on; what it says is the run's error */
	MESSAGE_DURABLE,    /* sync the journals now; answered when done */
	MESSAGE_CHECKPOINT, /* write the models in shared memory to RUN/model/, drop journals behind; answered
			       when done */
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

struct message_note {
	char who[32];
	char text[480];
};

#endif
