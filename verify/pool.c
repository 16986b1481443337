/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "src/base/base.h"

struct helper {
	pthread_t thread;
	int (*body)(void *self, struct error *e);
	void *self;
	int ret;
	struct error error;
};

static void *helper_main(void *arg)
{
	struct helper *h = arg;

	h->ret = h->body(h->self, &h->error);
	return NULL;
}

int pool_run(unsigned int threads, int (*body)(void *self, struct error *e), void *self, struct error *e)
{
	unsigned int wanted = threads > 1 ? threads - 1 : 0, made = 0;
	struct helper *helper = calloc(MAX(wanted, 1U), sizeof(*helper));
	int ret;

	for (; helper && made < wanted; made++) {
		helper[made] = (struct helper){.body = body, .self = self};
		if (pthread_create(&helper[made].thread, NULL, helper_main, &helper[made]) != 0)
			break;
	}
	ret = body(self, e);
	for (unsigned int i = 0; i < made; i++) {
		pthread_join(helper[i].thread, NULL);
		if (helper[i].ret != 0 && ret == 0) {
			ret = helper[i].ret;
			*e = helper[i].error;
		}
	}
	free(helper);
	return ret;
}
