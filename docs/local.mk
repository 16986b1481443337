# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += \
	%D%/architecture.md \
	%D%/audit.md \
	%D%/detection.md \
	%D%/exposure.md \
	%D%/formats.md \
	%D%/found/README.md \
	%D%/found/btrfs-cut-off-bytes.md \
	%D%/found/btrfs-read-loop.md \
	%D%/found/xfs-direct-read-behind-end.md \
	%D%/guard.md \
	%D%/injectors.md \
	%D%/mutants-device.md \
	%D%/mutants-fs.md \
	%D%/mutants-kernel.md \
	%D%/performance.md \
	%D%/replay.md \
	%D%/reproduce.md \
	%D%/target.md \
	%D%/verify.md \
	%D%/vm.md
dist_man1_MANS += %D%/recow.1
