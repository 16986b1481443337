/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka wants these headers before its own, in this order. */
#ifndef RECOW_UNIT_H
#define RECOW_UNIT_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#endif
