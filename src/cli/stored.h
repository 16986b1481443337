/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of one worker as the last checkpoint left it in RUN/model. */
#ifndef RECOW_STORED_H
#define RECOW_STORED_H

#include "src/model/model.h"

struct stored_model {
	struct model model;
	void *mapping;
	size_t bytes;
};

int stored_open(struct stored_model *s, const char *run, uint32_t worker, struct error *e);
void stored_close(struct stored_model *s);

#endif
