/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From noted blocks of a file to findings: verdicts, neighbours joined, looked at again. */
#ifndef RECOW_VERIFY_JUDGE_H
#define RECOW_VERIFY_JUDGE_H

#include "verify/files.h"

/* Judge what was noted about a file that is still open, and report it. `open_flags` say how it was read
 * (O_DIRECT or 0). */
void judge_file(struct check *c, struct file *file, int open_flags);

#endif
