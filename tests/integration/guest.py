# SPDX-License-Identifier: GPL-2.0-or-later
"""A throw-away machine (QEMU, a stock Debian kernel) that mounts damaged images: it may hang or die of them, the host may not.

The images are its disks, and stay as they are. It says line by line what it did; a line that does not come in time, or a
machine that ends by itself, is an answer too."""
import os
import pathlib
import re
import selectors
import shutil
import subprocess
import time

MODULES = ("virtio_pci", "virtio_blk", "btrfs")

# LIST: serial numbers of the disks; COUNT: how many.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /mnt /tmp
for m in $(cat /modules); do insmod $m; done
dmesg -n 1
echo 1 >/proc/sys/kernel/panic_on_oops
echo "@release $(uname -r)"
for i in $(seq 1 100); do [ "$(ls /sys/block | grep -c ^vd)" -ge COUNT ] && break; sleep 0.1; done
for serial in LIST; do
	for d in /sys/block/vd*; do [ "$(cat $d/serial)" = $serial ] && dev=/dev/${d##*/}; done
	echo "@begin $serial"
	btrfs device scan --forget >/dev/null 2>&1
	dmesg -c >/dev/null
	mount=no scrub=no
	echo "@step mount no"
	if mount -t btrfs -o ro,noatime $dev /mnt 2>/tmp/error; then
		(cd /mnt && ls -lR . && find . -type f -exec cat {} +) >/dev/null 2>/tmp/error
		[ -s /tmp/error ] && mount=yes
		# busybox says nothing of a directory that ends in an error; the kernel does.
		dmesg | grep -qE 'BTRFS (warning|error|critical)' && mount=yes
		btrfs device stats -c /mnt >/tmp/stats 2>&1 || mount=yes
		echo "@step scrub $mount"
		btrfs scrub start -B -r /mnt >/tmp/scrub 2>&1 || scrub=yes
		grep -q 'no errors found' /tmp/scrub || scrub=yes
		umount /mnt
	else
		mount=yes scrub="can't mount"
	fi
	dmesg | grep -q 'WARNING: CPU' && warned=' (warns)' || warned=
	echo "@end $serial|$scrub|$mount$warned"
done
poweroff -f
"""


def sh(*words, **kwargs):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True, **kwargs).stdout


def kernel_package():
    """The newest stock kernel of the distribution, unless KERNEL_PACKAGE names another."""
    depends = sh("apt-cache", "depends", "linux-image-amd64")
    return os.environ.get("KERNEL_PACKAGE") or re.search(r"Depends: (linux-image-\S+)", depends).group(1)


def fetch_kernel(scratch):
    """Unpacked, not installed."""
    top = scratch / "kernel"
    if not top.exists():
        sh("apt-get", "download", kernel_package(), cwd=scratch)
        sh("dpkg", "-x", next(scratch.glob("linux-image-*.deb")), top)
    return top


def dependencies(modules, name, seen):
    """Paths of a module and all that it needs, in the order of loading."""
    line = next((l for l in modules if re.search(rf"/{name}\.ko:", l)), None)
    if line is None:
        return seen  # built in
    path, _, needs = line.partition(":")
    for need in reversed(needs.split()):
        if need not in seen:
            seen.append(need)
    if path not in seen:
        seen.append(path)
    return seen


def copy_program(root, program):
    """With the libraries that it is linked with, and those of threads that end."""
    path = shutil.which(program)
    shutil.copy(path, root / "bin" / program)
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    wanted = re.findall(r"(/\S+) \(0x", listed)
    wanted += [str(p) for p in pathlib.Path("/lib/x86_64-linux-gnu").glob("libgcc_s.so.1")]
    for library in wanted:
        place = root / library.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)


def make_root(scratch, serials):
    """The initramfs."""
    kernel = fetch_kernel(scratch)
    base = next((kernel / "lib/modules").iterdir())
    root = scratch / "root"
    shutil.rmtree(root, ignore_errors=True)
    for d in ("bin", "proc", "sys", "dev", "modules.d"):
        (root / d).mkdir(parents=True)
    for program in ("busybox", "btrfs"):
        copy_program(root, program)
    sh("depmod", "-b", kernel, base.name)
    table = (base / "modules.dep").read_text().splitlines()
    order = []
    # Checksums are looked for by name, when the filesystem is mounted or the module is loaded: no dependency says it.
    for name in ("crc32c_generic", "crc32c-intel", *MODULES):
        dependencies(table, name, order)
    for path in order:
        shutil.copy(base / path, root / "modules.d" / pathlib.Path(path).name)
    (root / "modules").write_text("".join(f"/modules.d/{pathlib.Path(p).name}\n" for p in order))
    (root / "init").write_text(INIT.replace("LIST", " ".join(serials)).replace("COUNT", str(len(serials))))
    (root / "init").chmod(0o755)
    names = sh("find", ".", cwd=root)
    with open(scratch / "initramfs", "wb") as out:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), stdout=out, cwd=root, check=True)


def start(scratch, disks):
    """disks: serial number, image and, if not None, a place that can't be read; nothing is ever written to these."""
    kernel = next((scratch / "kernel/boot").glob("vmlinuz-*"))
    words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", "768", "-nographic",
             "-no-reboot", "-nodefaults", "-serial", "stdio", "-kernel", kernel, "-initrd", scratch / "initramfs", "-append",
             "console=ttyS0 quiet panic=-1 oops=panic softlockup_panic=0"]
    for i, (serial, image, bad) in enumerate(disks):
        error = "" if bad is None else (",file.driver=blkdebug,file.inject-error.0.event=read_aio,file.inject-error.0.errno=5,"
                                        f"file.inject-error.0.sector={bad // 512}")
        name = "file.filename" if bad is None else "file.image.filename"
        words += ["-drive", f"driver=raw,read-only=on,{name}={image},if=none,id=d{i}{error}", "-device",
                  f"virtio-blk-pci,drive=d{i},serial={serial},addr={4 + i // 8:#x}.{i % 8},multifunction=on"]
    return subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


class Guest:
    def __init__(self, scratch, disks):
        self.process, self.rest, self.log = start(scratch, disks), b"", b""
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def line(self, seconds):
        """The next line that begins with @; "" when the machine ended, None when none came in time."""
        end = time.monotonic() + seconds
        while True:
            line, newline, rest = self.rest.partition(b"\n")
            if newline:
                self.rest = rest
                at = line.find(b"@")
                if at >= 0 and line[at + 1:at + 2].isalpha():
                    return line[at + 1:].decode(errors="replace").strip()
                continue
            if not self.selector.select(max(0, end - time.monotonic())):
                return None
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return ""
            self.rest += more
            self.log += more

    def end(self):
        self.process.kill()
        self.process.wait()
        self.selector.close()
        self.process.stdout.close()


def measure(scratch, disks, seconds=120):
    """Yields (name, scrub, mount) for each (name, image, place that can't be read or None); boots again behind one that the
    guest did not survive."""
    left = [(f"d{i}", image, bad) for i, (_, image, bad) in enumerate(disks)]
    names = {f"d{i}": disk[0] for i, disk in enumerate(disks)}
    while left:
        make_root(scratch, [disk[0] for disk in left])
        guest = Guest(scratch, left)
        now = step = mount = None
        try:
            while left:
                line = guest.line(seconds if now else 300)
                if line and line.startswith("release"):
                    print(f"# Linux {line.split()[1]}", flush=True)
                elif line and line.startswith("begin"):
                    now = line.split()[1]
                elif line and line.startswith("step"):
                    step, mount = line.split()[1:]
                elif line and line.startswith("end"):
                    serial, scrub, mount = line[4:].split("|")
                    left = [d for d in left if d[0] != serial]
                    yield names[serial], scrub, mount
                elif now is None:
                    raise AssertionError(f"the guest does not start: {guest.log[-2000:].decode(errors='replace')}")
                else:
                    left = [d for d in left if d[0] != now]
                    lost = "never comes back" if line is None else "panics"
                    yield (names[now], lost, mount) if step == "scrub" else (names[now], "not reached", lost)
                    break
        finally:
            guest.end()
