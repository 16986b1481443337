/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The freezing hand: a hand (src/guard/hand.h) that freezes a filesystem, waits, and thaws it. It ends the
 * freeze by itself when the time is over or the guard is gone, so it is the one hand that outlives the guard,
 * and it is never killed: a FIFREEZE under way can't be interrupted, and would end frozen with nobody there.
 *
 *	hand	looks whether the filesystem may be frozen, says what the undo log must hold (struct
 *freeze_word) guard	notes it, says go (FREEZE_GO) hand	syncs the log, freezes, says so guard says
 *thaw (FREEZE_THAW), or nothing hand	thaws; its exit status says why
 */
#ifndef RECOW_FREEZER_H
#define RECOW_FREEZER_H

#include "src/guard/hand.h"
#include "src/guard/undo.h"

#define FREEZE_GO   'g'
#define FREEZE_THAW 't'

struct freeze_order {
	int root;          /* the target's root directory, opened for reading */
	int log;           /* the undo log, to be synced before the freeze */
	uint64_t limit;    /* ns from the moment when it is frozen */
	const char *run;   /* run directory: its filesystem is never frozen */
	const char *image; /* neither is the image's; "" if there is none */
};

struct freeze_word {
	bool frozen;        /* the second word: the freeze has been tried */
	int32_t err;        /* not 0: it will not be, or could not be frozen */
	char text[200];     /* the reason, where err alone doesn't say it */
	char what[4096];    /* for the log: mount point */
	char old[UNDO_OLD]; /* and how to find it without that (src/guard/thaw.h) */
};

/* A hand_work; arg: struct freeze_order. Its answer: 0, thawed when it was told to; ETIME, when the time was
 * over; else why it was not frozen or could not be thawed. */
hand_work freezer_work;

#endif
