/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECOW_LIMITS_H
#define RECOW_LIMITS_H

#include "src/base/error.h"

/* Raise this process's limit on open files, which its children inherit, to what so many workers need: one
 * that runs into it would take EMFILE for the filesystem's answer. EXIT_CANNOT when the hard limit is below
 * that. */
int limits_raise(unsigned int workers, struct error *e);

#endif
