/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/verifier.h"

const char *verify_when_text(enum verify_when when)
{
	static const char *const text[] = {
		[VERIFY_ROUND] = "after each round",
		[VERIFY_MOUNTED] = "after each round, and after unmount and mount",
		[VERIFY_OFFLINE] = "at the end, unmounted",
		[VERIFY_RESTING] = "after each round, frozen, and at the end, unmounted",
		[VERIFY_REMOUNTED] = "at the end, after unmount and mount",
		[VERIFY_LIVE] = "all the time",
		[VERIFY_DURING] = "while the workers churn, and as often as hot and remount",
		[VERIFY_FAILED] = "at the end, when the target was made to fail, after unmount and mount",
	};

	return text[when];
}
