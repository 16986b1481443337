/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes that are done later than it was said.
 */
#ifndef MUTANTS_ORDER_H
#define MUTANTS_ORDER_H

struct device;
struct order;

/* NULL: no memory. To be released with free() behind order_settle(). */
struct order *order_new(void);

/* The device ends: what is held back is written now. */
void order_settle(struct device *d);

#endif
