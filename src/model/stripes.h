/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared files: several workers write them at once, each its own stripes, so that the bytes of one page are
 * those of many while every byte has one owner. Sizes and stripes differ from file to file, and never change.
 */
#ifndef RECOW_MODEL_STRIPES_H
#define RECOW_MODEL_STRIPES_H

#include "src/model/model.h"

/* Bytes of shared file k, and of one of its stripes: a multiple of LINE_SIZE. */
uint64_t stripes_size(uint32_t k);
uint32_t stripes_length(uint32_t k);

/* Which of `workers` workers owns byte `offset` of shared file k. */
static inline uint32_t stripes_owner(uint32_t k, uint64_t offset, uint32_t workers)
{
	return (uint32_t)(offset / stripes_length(k) % workers);
}

/* How many stripes of shared file k worker `worker` owns; its n-th (from 0) is stripe n * workers + worker.
 */
uint64_t stripes_owned(uint32_t k, uint32_t worker, uint32_t workers);

#endif
