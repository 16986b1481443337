# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What quickstart and test share: installing from the distribution, and building out of tree. Sourced.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# libtracefs-dev does not depend on libtraceevent-dev, but its pkg-config file requires it.
# shellcheck disable=SC2034 # used by the scripts that source this
build_packages="gcc make autoconf automake pkg-config libc6-dev libaio-dev libjemalloc-dev libxxhash-dev libisal-dev
	libgcrypt20-dev libbtrfsutil-dev libmount-dev libblkid-dev libdevmapper-dev libinih-dev libjansson-dev libtracefs-dev libtraceevent-dev libcmocka-dev
	libfuse3-dev"
# shellcheck disable=SC2034
run_packages="btrfs-progs e2fsprogs xfsprogs util-linux"
# For scripts/vm.
# shellcheck disable=SC2034
vm_packages="qemu-system-x86 busybox-static kmod"
# shellcheck disable=SC2034
test_packages="clang clang-format clang-tidy cppcheck shellcheck python3 python3-xxhash fio stress-ng groff-base man-db
	file procps fuse3 gcc-12 libelf1 libssl3 kmod xz-utils"

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 3
}

need_root()
{
	[ "$(id -u)" = 0 ] || die "must be root: it mounts filesystems and takes memory offline; run: sudo $0"
}

# install_packages NAME...: only what is missing; nothing is asked of the network when all is there.
install_packages()
{
	local missing=() name

	for name in "$@"; do
		dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
	done
	[ ${#missing[@]} = 0 ] && return
	command -v apt-get >/dev/null || die "these packages are missing and there is no apt-get: ${missing[*]}"
	echo "installing: ${missing[*]}" >&2
	{
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
	} >"$root/build-install.log" 2>&1 || die "cannot install packages; see $root/build-install.log"
}

# What configure (AM_SANITY_CHECK) and make refuse in a path, said at once and in words.
check_root()
{
	case $root in
	*[\\\"\#\$\&\'\`[:space:]]*)
		die "configure and make can't work below a path with spaces, quotes or any of # \$ & \\ in it: move $root elsewhere"
		;;
	esac
}

# build_in DIR [CONFIGURE FLAGS...]: configure once, make always (nothing to do is quick). `CC` as given.
build_in()
{
	local dir=$root/$1

	check_root
	shift
	if [ ! -x "$root/configure" ] || [ "$root/configure.ac" -nt "$root/configure" ]; then
		(cd "$root" && autoreconf -i) >"$root/build-autoreconf.log" 2>&1 ||
			die "autoreconf failed; see $root/build-autoreconf.log"
	fi
	mkdir -p "$dir"
	if [ ! -f "$dir/Makefile" ]; then
		(cd "$dir" && "$root/configure" "$@") >"$dir/configure.out" 2>&1 || die "configure failed; see $dir/configure.out"
	fi
	make -s -C "$dir" -j"$(nproc)" >"$dir/make.out" 2>&1 || {
		tail -n 30 "$dir/make.out" >&2
		die "the build failed; see $dir/make.out"
	}
}
