# SPDX-License-Identifier: GPL-2.0-or-later
"""One running guest of any column: booted, told what to do over its serial line, stopped between its turns."""
import base64
import gzip
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

import columns
import counters

MARK = b"paravane-mark: init"
# What a step may say on the debug port: from there to there it is counted, else all of it
BEGIN, END = "bench-begin", "bench-end"
BOOT_LIMIT = 150
STEP_LIMIT = 90
# A transfer has begun after so many bytes; of its time this part is looked at
WIRE_BYTES, WIRE_PART = 400_000, 0.6


class GuestError(Exception):
    """Why a guest, or one step in it, failed: a short sentence."""


class Guest:
    """A guest of @column. What it says that is no answer is in @log."""

    def __init__(self, column, files, address, reasons, log):
        words = [columns.APPEND, column.guest_append(), "guest.modules=" + ",".join(files["modules"] or ["none"]),
                 "bench.line=ttyS0"]
        if files["disk"]:
            words += [f"bench.disk={column.disk}", f"bench.tools={column.tools}"]
            words += [f"bench.address={address}"] if files["tap"] else []
        self.column, self.log, self.reasons = column, log, reasons
        self.command = column.command({**files, "append": " ".join(word for word in words if word)})
        self.steps, self.buffer, self.dead = {}, b"", None
        self.interval = {}
        self.marked, self.ended = threading.Event(), None

    def start(self):
        """Boots it up to its init's first words; (milliseconds, counters.Sample) of that."""
        self.line, theirs = socket.socketpair()
        start = time.monotonic()
        # However this program ends, the guest goes with it; Ctrl-C is for this program alone
        self.child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command], stdin=theirs, stdout=theirs,
                                      stderr=subprocess.PIPE, start_new_session=True)
        theirs.close()
        threading.Thread(target=self._listen, args=(self.child.stderr,), daemon=True).start()
        if not self.marked.wait(BOOT_LIMIT) or self.ended is None:
            raise self._failed(f"no sign of its init after {BOOT_LIMIT} s")
        self.counters = counters.Counters(self.child.pid, self.reasons)
        sample = self.counters.sample()
        self.resume()
        return (self.ended - start) * 1000, sample

    def _listen(self, stream):
        """Takes the log; at the mark the guest is stopped, so that what is counted ends there."""
        rest = b""
        with open(self.log, "wb") as log:
            while data := os.read(stream.fileno(), 65536):
                log.write(data)
                log.flush()
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._hear(line)
        self.marked.set()

    def _hear(self, line):
        if MARK in line and self.ended is None:
            self.pause()
            self.ended = time.monotonic()
            self.marked.set()
        for mark in (BEGIN, END):
            if mark.encode() in line:
                self.interval[mark] = self.counters.sample()

    def _failed(self, why):
        """GuestError with the last words of the log; the guest is given up."""
        status = self.child.poll()
        if status is not None:
            why = f"it ended with status {status}"
        try:
            with open(self.log, errors="replace") as f:
                lines = [line.strip() for line in f if line.strip()]
        except OSError:
            lines = []
        self.dead = why + (f": {lines[-1][:200]}" if lines else "")
        return GuestError(self.dead)

    def ready(self):
        """Waits for the agent in it."""
        self._answer(time.monotonic() + BOOT_LIMIT)
        with open(self.log, errors="replace") as f:
            failed = re.search(r"\bFAIL .*", f.read())
        if failed:
            self.dead = failed[0].strip()
            raise GuestError(self.dead)

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)

    def resume(self):
        self.child.send_signal(signal.SIGCONT)

    def _wait(self, end):
        """Until the guest has said something."""
        ready, _, _ = select.select([self.line], [], [], max(0, end - time.monotonic()))
        if not ready:
            raise self._failed("no answer in time")

    def _answer(self, end):
        while True:
            *lines, self.buffer = self.buffer.split(b"\n")
            for line in lines:
                if line.startswith(b"@"):
                    status, _, text = line[1:].partition(b" ")
                    return int(status), gzip.decompress(base64.b64decode(text)).decode(errors="replace")
            self._wait(end)
            data = self.line.recv(65536)
            if not data:
                raise self._failed("it closed its serial line")
            self.buffer += data

    def _keep(self, command, end):
        """The name by which the guest knows a command: sending all of it costs exits, so that is done only once."""
        if command not in self.steps:
            name = str(len(self.steps))
            self.line.sendall(f"!{name} {command}\n".encode())
            self._answer(end)
            self.steps[command] = name
        return self.steps[command]

    def _count_window(self, seconds):
        time.sleep(1)
        before = self.counters.sample()
        time.sleep(seconds)
        return self.counters.sample() - before

    def _count_wire(self, seconds, wire):
        """Counts while much goes over the @wire, which says how many bytes did; None if it ends too early."""
        first, ready = wire(), False
        while wire() - first < WIRE_BYTES:
            ready, _, _ = select.select([self.line], [], [], 0.05)
            if ready:
                return None
        before, begin = self.counters.sample(), wire()
        ready, _, _ = select.select([self.line], [], [], seconds * WIRE_PART)
        sample = self.counters.sample() - before
        sample.bytes, sample.first = wire() - begin, first
        return None if ready else sample

    def run(self, command, limit=STEP_LIMIT, window=None, wire=None):
        """(exit status, output, counters.Sample) of a shell command. The sample is of @window seconds in the middle
        of it if given; with @wire, too, of the time when most goes over that, with its share of all as .share."""
        if self.dead:
            raise GuestError(self.dead)
        end = time.monotonic() + limit
        name = self._keep(command, end)
        self.interval = {}
        before, sample = self.counters.sample(), None
        self.line.sendall(name.encode() + b"\n")
        if wire:
            sample = self._count_wire(window, wire)
        elif window:
            sample = self._count_window(window)
        self._wait(end)
        whole = self.counters.sample() - before
        status, text = self._answer(end)
        if sample and wire:
            sample.share = sample.bytes / (wire() - sample.first)
        elif len(self.interval) == 2:
            sample = self.interval[END] - self.interval[BEGIN]
        if not sample:
            sample, sample.whole = whole, True
        return status, text, sample

    def overhead_mib(self):
        """What the VMM has in memory beside the guest's own, which is its largest mapping."""
        sizes = []
        for part in counters.read(f"/proc/{self.child.pid}/smaps").split("\nVmFlags:"):
            found = re.findall(r"^(Size|Rss): *(\d+) kB", part, re.M)
            sizes += [tuple(int(value) / 1024 for _, value in found)] if len(found) == 2 else []
        return sum(rss for size, rss in sizes if size < columns.MEMORY_MIB // 2)

    def stop(self):
        """Ends it, politely first: it may have to clean up."""
        for sig, wait in ((signal.SIGTERM, 0.2), (signal.SIGTERM, 3), (signal.SIGKILL, None)):
            if self.child.poll() is not None:
                break
            self.child.send_signal(sig)
            self.child.send_signal(signal.SIGCONT)
            try:
                self.child.wait(wait)
            except subprocess.TimeoutExpired:
                continue
        self.line.close()
