/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists that grow at their end. */
#ifndef RECOW_LIST_H
#define RECOW_LIST_H

#include <stdlib.h>

#define LIST_FIRST 64 /* elements of a list that begins */

/* Room for one more behind `count` elements of `size` bytes each: the list where it is now. *room, in
 * elements, doubles when it is used up. NULL: no memory, and all is as it was. */
static inline void *list_grown(void *list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : LIST_FIRST;
	void *grown;

	if (count < *room)
		return list;
	grown = reallocarray(list, wanted, size);
	if (grown)
		*room = wanted;
	return grown;
}

#endif
