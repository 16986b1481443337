# SPDX-License-Identifier: GPL-2.0-or-later
"""What the integration tests share: running recow, looking at the machine with plain means, printing results.

Nothing here shares code with recow: what it says about itself is compared with what the kernel says."""
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from machine import machine, read  # noqa: F401
from machine import difference, settled

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECOW = os.environ.get("RECOW", str(ROOT / "build/recow"))


class Skip(Exception):
    """The machine lacks what the test needs; the text says what."""


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def expect_machine(before, seconds=10):
    """It is as it was, at the latest after so many seconds."""
    wrong = difference(before, settled(before, seconds))
    expect(not wrong, f"the machine is not as it was:\n{wrong}")


@contextlib.contextmanager
def real_machine():
    """One at a time, as tests/unit/real.h."""
    with open("/tmp/recow-tests.lock", "w", encoding="ascii") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield


def run_tests(tests, machine_is_theirs=True):
    """Call each test function with a fresh directory; print `ok`, `not ok` or `skip`; exit. Tests of guests run beside others,
    which change the machine meanwhile: what they do on the machine itself they do in real_machine()."""
    failed = 0
    wanted = sys.argv[1:]
    with real_machine() if machine_is_theirs else contextlib.nullcontext():
        for test in tests:
            if not wanted or test.__name__ in wanted:
                failed += not run_test(test, machine_is_theirs)
    sys.exit(1 if failed else 0)


def run_test(test, machine_is_its):
    """Prints its result; is there none to complain of?"""
    name, good = test.__name__, True
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="recow-test-", dir="/var/tmp"))
    before = machine() if machine_is_its else None
    try:
        test(scratch)
        if machine_is_its:
            expect_machine(before)
        print(f"ok {name}: {(test.__doc__ or '').strip().splitlines()[0]}", flush=True)
    except Skip as reason:
        print(f"skip {name}: {reason}", flush=True)
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc(file=sys.stdout)
        print(f"not ok {name}", flush=True)
        good = False
    Running.end_all()
    free_machine(scratch)
    shutil.rmtree(scratch, ignore_errors=True)
    return good


def free_machine(scratch):
    """A run of a failed test may have died with the machine changed: its undo log goes with the scratch directory."""
    run = read("/run/recow/current")
    if run.startswith(f"{scratch}/"):
        print(subprocess.run([RECOW, "restore", run], capture_output=True, text=True, check=False).stdout, flush=True)


def recow(*args, code=0, timeout=300, **kwargs):
    """Run recow to its end; the result has stdout, stderr. `code`: the exit code it must have (None: any)."""
    result = subprocess.run([RECOW, *map(str, args)], capture_output=True, text=True, timeout=timeout, check=False,
                            errors="replace", **kwargs)
    expect(code is None or result.returncode == code,
           f"recow {' '.join(map(str, args))} ended with {result.returncode}, not {code}:\n"
           f"{result.stdout[-6000:]}\n{result.stderr[-6000:]}")
    return result


class Running:
    """A run in the background."""
    all = []

    def __init__(self, out, *args):
        self.out = pathlib.Path(out)
        self.stopped = None
        self.log = open(f"{out}.output", "w+", encoding="utf-8", errors="replace")
        Running.all.append(self)
        self.process = subprocess.Popen([RECOW, "run", "-o", str(out), *map(str, args)], stdout=self.log,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    @staticmethod
    def end_all():
        """After a test that failed in the middle of a run: end it and give it time to undo."""
        for run in Running.all:
            if run.process.poll() is None:
                run.go_on()
                run.process.terminate()
                run.wait()
        Running.all.clear()

    def output(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def wait(self, timeout=120):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the run did not end within {timeout} s:\n{self.output()[-4000:]}") from None

    def stop_churn(self):
        """Hold churn where it is, for as long as the test needs: a phase that waits goes on waiting."""
        self.stopped = self.children()["churn"]
        os.kill(self.stopped, SIGSTOP)

    def go_on(self):
        if self.stopped:
            os.kill(self.stopped, SIGCONT)
        self.stopped = None

    def expect_exit(self, code, timeout=120):
        self.go_on()
        got = self.wait(timeout)
        expect(got == code, f"ended with {got}, not {code}:\n{self.output()[-6000:]}")

    def timeline(self):
        return lines_of(self.out / "timeline.jsonl")

    def until(self, test, what, timeout=60):
        """Wait until test() is true; fail when the run ends before."""
        end = time.monotonic() + timeout
        while not test():
            expect(self.process.poll() is None, f"ended before {what}:\n{self.output()[-4000:]}")
            expect(time.monotonic() < end, f"no {what} within {timeout} s:\n{self.output()[-4000:]}")
            time.sleep(0.02)

    def until_phase(self, name, count=1, timeout=60):
        """Wait until the phase `name` began for the count-th time."""
        self.until(lambda: sum(1 for l in self.timeline() if l.get("event") == "phase" and l.get("phase") == name)
                   >= count, f"phase {name} number {count}", timeout)

    def children(self):
        """Process ids of the guard's children by their names ("churn", "disturb")."""
        found = {}
        for pid in read(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split():
            found[read(f"/proc/{pid}/comm").removeprefix("recow-")] = int(pid)
        return found

    def mountpoint(self):
        """The target as seen from outside of its mount namespace."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{self.out}/mnt")

    def in_namespace(self, *command, check=True):
        return subprocess.run(["nsenter", "-t", str(self.process.pid), "-m", *map(str, command)], capture_output=True,
                              text=True, errors="surrogateescape", check=check)

    def signal(self, number):
        self.process.send_signal(number)


def lines_of(path):
    """JSON lines of a file that may still be written."""
    found = []
    try:
        text = pathlib.Path(path).read_text(errors="replace")
    except FileNotFoundError:
        return found
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            pass
    return found


def findings(out):
    return lines_of(pathlib.Path(out) / "findings.jsonl")


def scenario(scratch, text, name="test.ini"):
    path = scratch / name
    path.write_text(text)
    return path


SIGINT, SIGTERM, SIGKILL = signal.SIGINT, signal.SIGTERM, signal.SIGKILL
SIGSTOP, SIGTSTP, SIGCONT = signal.SIGSTOP, signal.SIGTSTP, signal.SIGCONT
