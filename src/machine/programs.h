/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that recow runs. */
#ifndef RECOW_PROGRAMS_H
#define RECOW_PROGRAMS_H

#include "src/base/base.h"

/* Is it in PATH, or where the programs of root are? */
bool program_exists(const char *name);

/* The program that checks an unmounted filesystem of this type, NULL if recow knows none. */
const char *checker_of(const char *fs);

#endif
