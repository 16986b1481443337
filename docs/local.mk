# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += \
	%D%/formats.md \
	%D%/injectors.md \
	%D%/target.md
