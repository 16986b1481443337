// SPDX-License-Identifier: GPL-2.0-or-later
#include "mutants/device/mutant.h"

extern const struct mutant mutant_control, mutant_lost_write, mutant_lost_after_flush, mutant_torn_block,
	mutant_torn_head, mutant_torn_extent, mutant_half_write, mutant_mixed_sector, mutant_short_write,
	mutant_misdirected_write, mutant_duplicated_write, mutant_swapped_blocks, mutant_shifted_write,
	mutant_delayed_write, mutant_overtaken_write, mutant_flip_write, mutant_flip_burst, mutant_zero_write,
	mutant_garbage_write, mutant_byteswapped, mutant_stale_read, mutant_misdirected_read,
	mutant_neighbour_read, mutant_flip_read, mutant_zero_read, mutant_garbage_read, mutant_short_read,
	mutant_eio_read, mutant_eio_write, mutant_eio_flush, mutant_full_device, mutant_stall,
	mutant_lying_flush, mutant_ignored_fua, mutant_greedy_discard;

const struct mutant *const device_mutants[] = {
	&mutant_control,       &mutant_lost_write,        &mutant_lost_after_flush, &mutant_torn_block,
	&mutant_torn_head,     &mutant_torn_extent,       &mutant_half_write,       &mutant_mixed_sector,
	&mutant_short_write,   &mutant_misdirected_write, &mutant_duplicated_write, &mutant_swapped_blocks,
	&mutant_shifted_write, &mutant_delayed_write,     &mutant_overtaken_write,  &mutant_flip_write,
	&mutant_flip_burst,    &mutant_zero_write,        &mutant_garbage_write,    &mutant_byteswapped,
	&mutant_stale_read,    &mutant_misdirected_read,  &mutant_neighbour_read,   &mutant_flip_read,
	&mutant_zero_read,     &mutant_garbage_read,      &mutant_short_read,       &mutant_eio_read,
	&mutant_eio_write,     &mutant_eio_flush,         &mutant_full_device,      &mutant_stall,
	&mutant_lying_flush,   &mutant_ignored_fua,       &mutant_greedy_discard,
};
const size_t device_mutant_count = sizeof(device_mutants) / sizeof(device_mutants[0]);
