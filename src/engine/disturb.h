/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disturb process: one thread for each injection of the plan that can run here. */
#ifndef RECOW_DISTURB_H
#define RECOW_DISTURB_H

#include "src/run/shared.h"

/*
 * Entry point of the process. `sockets`: to the guard, one per injection of the plan. Returns the exit status
 * when the run is over (STAGE_DONE, `stop` or `abandon`) and every injector rests: 0, or 1 when a thread
 * could not be made.
 *
 * How an injection acts, and why the conductor can trust `acting`: the thread sets its bit in shared->acting
 * first and looks at shared->inject and phase_serial again behind it; the conductor changes those first and
 * looks at `acting` behind that. So either the thread sees that its phase is over, or the conductor sees the
 * bit. The bit is cleared when the injector rests and the target is closed.
 */
int disturb_main(struct shared *s, const int *sockets);

/* Is the run over for injectors? */
bool disturb_over(const struct shared *s);

/* Wait at most `ns`, or until the phase is no longer the one with serial number `seen`. */
void disturb_await(const struct shared *s, uint32_t seen, uint64_t ns);

#endif
