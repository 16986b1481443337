# SPDX-License-Identifier: GPL-2.0-or-later
"""A place of our own on the machine, of which nothing is left whatever ends us: mounts lie in a private mount namespace, loop
devices clear themselves with their last descriptor, and children get a signal when their parent dies."""
import ctypes
import fcntl
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
PR_SET_PDEATHSIG = 1

# <linux/loop.h>
LOOP_CONFIGURE, LOOP_CTL_GET_FREE, LOOP_CLR_FD = 0x4C0A, 0x4C82, 0x4C01
LO_FLAGS_AUTOCLEAR, LO_FLAGS_DIRECT_IO, LO_FLAGS_READ_ONLY = 4, 16, 1


class CannotRun(Exception):
    """The machine lacks something; the text says what, and what to do."""


def run(*command, check=True, **kwargs):
    """A command to its end; its output as text. What it prints is shown when it fails."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace", check=False, **kwargs)
    if check and result.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {result.returncode}: {result.stdout}{result.stderr}")
    return result


def private_mounts():
    """From here on mounts are ours alone and end with us."""
    if LIBC.unshare(CLONE_NEWNS):
        raise CannotRun(f"no mount namespace of its own: {os.strerror(ctypes.get_errno())} (be root)")
    run("mount", "--make-rprivate", "/")


def die_with_parent():
    """For a child, before it becomes another program: SIGTERM when the thread that started it is no more."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


CHILDREN = set()  # what runs for long and must not outlive us


def start(words, **kwargs):
    """A program in the background."""
    process = subprocess.Popen([str(word) for word in words], text=True, errors="replace", preexec_fn=die_with_parent,
                               stdin=subprocess.DEVNULL, **kwargs)
    CHILDREN.add(process)
    return process


def end_children():
    for process in CHILDREN:
        if process.poll() is None:
            process.terminate()


class Scratch:
    """A tmpfs of our own below /var/tmp: what is measured and judged is no disk."""

    def __init__(self, size):
        self.size = size

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="recow-prove-", dir="/var/tmp"))
        run("mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs", self.path)
        return self.path

    def __exit__(self, *_):
        run("umount", "-l", self.path, check=False)
        os.rmdir(self.path)


class Loop:
    """A loop device with direct I/O on a file, as long as the object lives."""

    def __init__(self, image, read_only=False, sector=512):
        self.image, self.read_only, self.sector = image, read_only, sector

    def __enter__(self):
        control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
        backing = os.open(self.image, (os.O_RDONLY if self.read_only else os.O_RDWR) | os.O_CLOEXEC)
        try:
            for _ in range(64):
                number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
                self.path = f"/dev/loop{number}"
                self.descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
                if self.configure(backing):
                    return self
                os.close(self.descriptor)
            raise CannotRun("no loop device is left (losetup -a lists those in use)")
        finally:
            os.close(backing)
            os.close(control)

    def configure(self, backing):
        """struct loop_config: fd, block size, struct loop_info64 (232 bytes; its flags at byte 52), reserved. False: someone
        else was faster."""
        flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO | (LO_FLAGS_READ_ONLY if self.read_only else 0)
        info = bytearray(232)
        struct.pack_into("<I", info, 52, flags)
        try:
            fcntl.ioctl(self.descriptor, LOOP_CONFIGURE, struct.pack("<II", backing, self.sector) + bytes(info) + bytes(64))
        except OSError as error:
            if error.errno == 16:
                return False
            raise
        return True

    def __exit__(self, *_):
        os.close(self.descriptor)
        backing = pathlib.Path(f"/sys/block/{os.path.basename(self.path)}/loop/backing_file")
        for _ in range(100):  # the kernel lets go of the file a moment after the last descriptor
            if not backing.exists():
                return
            time.sleep(0.05)


class Daemon:
    """One of the mutant programs, serving."""

    def __init__(self, words, mount):
        self.mount = mount
        self.process = start(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            self.process.wait()
            raise RuntimeError(f"{' '.join(map(str, words))} does not serve: {self.process.stderr.read()}")

    def end(self):
        """Its last words, "" as a rule. One that does not end is killed and unmounted, and that is said."""
        trouble = ""
        if self.process.poll() is None:
            self.process.terminate()
        elif self.process.returncode:
            trouble = f"the mutant ended with {self.process.returncode} before its time"
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            trouble = "the mutant did not end and was killed"
        run("umount", "-l", self.mount, check=False)
        return trouble + self.process.stderr.read()
