"""Running a part in a process of its own, with a time limit."""

import ctypes
import os
import re
import signal
import subprocess
import time

TAIL = 2000  # characters of a failing part's output that are kept in the results
LEAST = 20  # seconds that a part gets if they are left, whatever the others need
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
LIBC = ctypes.CDLL(None)


class Part:
    """A command, how its result is read, and how long it may take."""

    def __init__(self, name, command, read, limit, needs=None, grace=5, saved=None):
        self.name, self.command, self.read, self.limit = name, command, read, limit
        self.needs = needs  # a function: why the part is left out, or None
        self.grace = grace  # seconds that it has to end after it was told to
        self.saved = saved  # its exit status if it ended in good order

    def skipped(self):
        return self.needs() if self.needs else None

    def ends_with_us(self):
        """Runs in the new process: the system ends it if this one is gone, even killed. One that saves is asked to end."""
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL if self.saved is None else signal.SIGTERM)


class Outcome:
    """What became of a part."""

    def __init__(self, status, message="", seconds=0.0, result=None, command=None, output=None):
        self.status, self.message, self.seconds, self.result = status, message, seconds, result
        self.command, self.output = command, output

    @classmethod
    def left_out(cls, reason):
        return cls("left out", reason)

    def line(self):
        shown = self.message.strip().splitlines()
        return f"{self.status} in {self.seconds:.1f} s" + (": " + shown[-1] if shown else "")


class Runner:
    """Runs parts until the time for all of them is used up."""

    def __init__(self, folder, seconds):
        self.folder, self.end = folder, time.monotonic() + seconds

    def left(self):
        return self.end - time.monotonic()

    def run(self, part, limit=None):
        # A slow part, for example on a busy machine, leaves half of the time to those after it.
        limit = limit or min(part.limit, max(self.left() / 2, LEAST), self.left())
        if limit < 1:
            return Outcome.left_out("no time was left: give more --minutes")
        base = os.path.join(self.folder, re.sub("[^a-z0-9]+", "-", part.name))
        command = [word.replace("{base}", base) for word in part.command]
        for suffix in (".json", ".out", ".err"):
            if os.path.exists(base + suffix):
                os.remove(base + suffix)
        begin = time.monotonic()
        try:
            code, late = self.call(part, command, base, limit)
        except OSError as error:
            return Outcome("failed", f"cannot run {command[0]}: {error}", command=command)
        seconds = time.monotonic() - begin
        try:
            result, fault = part.read(base), ""
        except Exception as error:  # whatever the part wrote, the next one is measured
            result, fault = None, f"its result cannot be read: {error}"
        if late and code == part.saved:
            return Outcome("done", "ended in good order by its time limit", seconds, result, command)
        if code == 0 and not late and not fault:
            return Outcome("done", "", seconds, result, command)
        output = tail(base + ".out")
        if late:
            return Outcome("timed out", f"took more than {limit:.0f} s", seconds, result, command, output)
        if code != 0:
            fault = f"exit status {code}: {tail(base + '.err') or output or 'it said nothing'}"
        return Outcome("failed", fault, seconds, result, command, output)

    def call(self, part, command, base, limit):
        """The exit status, and whether the time limit ended it."""
        with open(base + ".out", "wb") as out, open(base + ".err", "wb") as err:
            # A group of its own, so that what it starts ends with it.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, preexec_fn=part.ends_with_us
            )
            try:
                return process.wait(timeout=limit), False
            except subprocess.TimeoutExpired:
                end(process, part.grace)
                return process.poll(), True
            finally:
                end(process, part.grace)


def end(process, grace):
    """Ends what still runs of a process and its group: asks first, then kills."""
    for sign, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 5)):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=wait)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def tail(path):
    try:
        with open(path, "rb") as file:
            return file.read()[-TAIL:].decode("utf-8", "replace").strip()
    except OSError:
        return ""
