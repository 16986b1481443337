#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run a program in an empty directory of each filesystem: tmpfs, and btrfs, ext4, xfs on a loop image in memory.
#
#	ops_filesystems.sh [-s SIZE] [-p PROGRAM] [FILESYSTEM...]
#
# The programs are tests/unit/test_ops_real, test_effects and test_replay_real; they find the directory in RECOW_TEST_DIR. All mounts live in a mount namespace of their own, so nothing is
# left behind however this ends. Exits 77 (skipped) without root.
set -eu

if [ "$(id -u)" != 0 ]; then
	echo "skipped: mounting needs root"
	exit 77
fi
if [ "${RECOW_TEST_NAMESPACE:-}" != yes ]; then
	RECOW_TEST_NAMESPACE=yes exec unshare --mount --propagation private -- "$0" "$@"
fi

size=768m
programs="tests/unit/test_ops_real tests/unit/test_effects tests/unit/test_replay_real tests/unit/test_durable"
while getopts s:p: option; do
	case $option in
	s) size=$OPTARG ;;
	p) programs=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- tmpfs btrfs ext4 xfs

work=$(mktemp -d)
# shellcheck disable=SC2317 # reached through the trap
cleanup() {
	cd /
	mountpoint -q "$work/mnt" && umount "$work/mnt"
	mountpoint -q "$work" && umount "$work"
	rmdir "$work"
}
trap cleanup EXIT
mount -t tmpfs -o size=2g recow-test "$work"
mkdir "$work/mnt"

make_and_mount() {
	if [ "$1" = tmpfs ]; then
		mount -t tmpfs -o "size=$size" recow-test "$work/mnt"
		return
	fi
	rm -f "$work/image"
	truncate -s "$size" "$work/image"
	case $1 in
	ext4) mkfs.ext4 -q -F "$work/image" ;;
	btrfs) mkfs.btrfs -q -f "$work/image" >"$work/log" 2>&1 ;;
	*) "mkfs.$1" -q -f "$work/image" ;;
	esac
	mount -t "$1" -o loop,noatime "$work/image" "$work/mnt"
}

failed=0
for fs in "$@"; do
	echo "== $fs"
	make_and_mount "$fs"
	mkdir "$work/mnt/dir"
	for program in $programs; do
		RECOW_TEST_DIR=$work/mnt/dir "$program" || failed=1
	done
	umount "$work/mnt"
done
exit $failed
