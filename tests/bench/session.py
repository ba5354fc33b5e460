# SPDX-License-Identifier: GPL-2.0-or-later
"""A measurement: boots the guests, runs every workload in every column in turn, keeps what came of it."""
import json
import os
import re
import subprocess
import time

import cells
import counters
import guests
import record
import rig as rigs

# What starting anything costs
EMPTY = "pvbench --list >/dev/null"
PRICE = "pvbench cpuid 1"
CANNOT = 77
# For fio: it takes long to start, and what that costs is not to be counted
HOOKS = f' --exec_prerun="pvguest say {guests.BEGIN}" --exec_postrun="pvguest say {guests.END}"'
NATIVE = "this is the host itself, not a guest"
# What a step whose middle is looked at takes longer
WINDOW_MORE = 3
NOTHING = counters.Sample(None, {}, {True: 0.0, False: 0.0})
CROWD = 3
ONLINE = "echo {} >/sys/devices/system/cpu/cpu1/online"


def module_names(modules_dir, wanted):
    """The modules @wanted and what they depend on, as modprobe knows it; ours are themselves."""
    base, _, release = modules_dir.partition("/lib/modules/")
    names = []
    for name in wanted:
        said = subprocess.run(["modprobe", "-d", base or "/", "-S", release, "--show-depends", name],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
        names += re.findall(r"^insmod \S*/(\S+)\.ko", said, re.M) or [name]
    return list(dict.fromkeys(names))


class Session:
    """@say prints progress. @out gets bench.json, complete as far as it goes, again and again."""

    def __init__(self, args, columns, workloads, say):
        self.args, self.columns, self.workloads, self.say = args, columns, workloads, say
        self.start = time.monotonic()
        self.cells = {(w.name, c.name): cells.Cell(w.name, c.name) for w in workloads for c in columns}
        self.guests, self.errors, self.empty, self.commands = {}, {}, {}, {}
        self.price, self.interrupted, self.distortions = None, False, []
        self.reasons = self.rig = self.left = None
        self.taps = {}
        with open(f"{args.run}/modules") as f:
            self.modules_dir = f.read().strip()
        self.files = {name: f"{args.run}/{name}" for name in ("kernel", "vmlinux")}
        self.files.update(initrd=f"{args.run}/guest.cpio", tools=f"{args.run}/tools.img")

    def close(self):
        for guest in self.guests.values():
            guest.stop()
        for part in (self.rig, self.reasons):
            if part:
                part.close()

    # The guests

    def make_guest(self, index, column, bare=None):
        """A guest, not yet started; a @bare one has a name of its own, but no devices."""
        files = {**self.files, "name": f"bench-{bare or column.name}", "modules": [], "tap": None, "disk": None}
        if column.disk and not bare:
            files.update(modules=module_names(self.modules_dir, [*column.modules, "ext4", "crc32c_generic"]),
                         disk=self.rig.disk(column.name), tap=self.tap(column.name, index))
        address = f"{rigs.HOST.rpartition('.')[0]}.{rigs.FIRST_GUEST + index}"
        return guests.Guest(column, files, address, self.reasons, f"{self.args.run}/{files['name']}.log")

    def tap(self, name, index):
        if name not in self.taps:
            self.taps[name] = self.rig.tap(f"bench{index}")
        return self.taps[name]

    def boot(self, index, column, keep):
        """One boot; the guest stays, stopped, if it is to be kept."""
        guest = self.make_guest(index, column)
        self.commands[column.name] = guest.command
        cell = self.cells.get(("boot-init", column.name))
        try:
            ms, sample = guest.start()
            if cell:
                cell.add(ms, 1, sample)
            self.say(f"{column.name} has booted: {ms:.0f} ms, {sample.exits} exits")
            if keep:
                guest.ready()
                self.empty[column.name] = min((guest.run(EMPTY)[2] for _ in range(3)), key=lambda s: s.exits or 0)
                if column.disk:
                    guest.run("fio --version; iperf3 --version")  # read the programs into memory
                guest.pause()
                self.guests[column.name] = guest
        except guests.GuestError as error:
            self.errors[column.name] = f"it does not boot: {error}"
            self.say(f"{column.name}: {self.errors[column.name]}")
        finally:
            if column.name not in self.guests:
                guest.stop()

    def boot_all(self):
        repeats = self.args.repeats if any(w.name == "boot-init" for w in self.workloads) else 1
        for column in self.columns:
            if column.name != "native" and column.missing():
                self.errors[column.name] = column.missing()
                self.say(f"{column.name}: {self.errors[column.name]}")
        for turn in range(repeats):
            for index, column in enumerate(self.columns):
                if column.name != "native" and column.name not in self.errors:
                    self.boot(index, column, keep=turn == repeats - 1)

    # The workloads

    def why_not(self, workload, column):
        """Why this workload cannot be measured in this column, or None."""
        if column.name in self.errors:
            return self.errors[column.name]
        if column.name == "native" and (workload.window or not workload.command):
            return NATIVE
        if (workload.disk or workload.net) and column.cannot:
            return column.cannot
        if workload.net and self.rig.no_network:
            return self.rig.no_network
        return None

    def execute(self, workload, column):
        """(exit status, output, sample) of it there."""
        guest = self.guests.get(column.name)
        seconds = workload.seconds(self.args.quick)
        values = {"server": rigs.HOST, "seconds": seconds + (WINDOW_MORE if workload.window else 0),
                  "disk": column.disk, "direct": 1}
        if not guest:
            values.update(disk=self.rig.disk("native"), direct=0)
            return self.rig.run_native(workload.command.format(**values), workload.net)
        guest.resume()
        try:
            if workload.cpus > 1:
                guest.run(ONLINE.format(1))
            time.sleep(0.2)
            more = {}
            if workload.window:
                more = {"window": seconds}
            elif workload.unit == "MB/s" and workload.net:
                more = {"window": seconds, "wire": self.rig.wire(self.taps[column.name])}
            command = workload.command.format(**values)
            found = guest.run(command + (HOOKS if command.startswith("fio ") else ""), **more)
            if workload.cpus > 1:
                guest.run(ONLINE.format(0))
            return found
        finally:
            guest.pause()

    def measure(self, workload, column):
        cell = self.cells[workload.name, column.name]
        reason = self.why_not(workload, column)
        if reason:
            cell.error = reason
            return
        try:
            status, text, sample = self.execute(workload, column)
            if status:
                last = (text.strip().splitlines() or ["it says nothing"])[-1][-200:]
                raise guests.GuestError(last if status == CANNOT else f"status {status}: {last}")
            if workload.window:
                value, ops = (sample.exits or 0) / sample.seconds, sample.seconds
            else:
                value, ops = workload.read(text)
            if not ops:
                raise guests.GuestError("nothing was done")
        except (guests.GuestError, OSError, ValueError, KeyError, IndexError) as error:
            cell.error = str(error) or type(error).__name__
            self.say(f"{workload.name:20}{column.name:16}{cell.error}")
            return
        cell.add(value, ops * sample.share, sample, self.empty.get(column.name) if sample.whole else None)
        exits = f"{cell.exits[-1]:10.3g} exits/{workload.per}" if cell.exits else ""
        self.say(f"{workload.name:20}{column.name:16}{value:12.1f} {workload.unit:8}{exits}")

    def measure_memory(self, workload, column):
        cell = self.cells[workload.name, column.name]
        cell.error = self.why_not(workload, column)
        if not cell.error:
            guest = self.guests[column.name]
            cell.add(guest.overhead_mib(), 1, NOTHING)

    def measure_density(self, workload, column):
        """What the host has less for each of some guests that do nothing; once, since it takes long."""
        cell = self.cells[workload.name, column.name]
        cell.error = self.why_not(workload, column)
        if cell.error or cell.values:
            return
        crowd, before = [], rigs.free_mib()
        try:
            for number in range(CROWD):
                crowd.append(self.make_guest(0, column, bare=f"crowd{number}"))
                crowd[-1].start()
                crowd[-1].ready()
            time.sleep(2)
            cell.add((before - rigs.free_mib()) / CROWD, CROWD, NOTHING)
        except guests.GuestError as error:
            cell.error = str(error)
        finally:
            for guest in crowd:
                guest.stop()

    def find_price(self):
        """Nanoseconds of one exit that KVM handles: what CPUID costs in a guest beyond what it costs here."""
        found = next((c for c in reversed(self.columns) if c.name in self.guests), None)
        if not found:
            return
        guest = self.guests[found.name]
        guest.resume()
        try:
            said = [guest.run(PRICE)[:2], self.rig.run_native(PRICE, False)[:2]]
        finally:
            guest.pause()
        if not any(status for status, _ in said):
            inside, outside = (json.loads(text)["per_op_ns"] for _, text in said)
            self.price = max(0, round(inside - outside)) or None  # None: less than the noise
            self.say(f"one exit costs {(inside - outside) / 1000:.1f} us here")

    def run(self, servers):
        self.reasons = counters.Reasons()
        self.rig = rigs.Rig()
        self.rig.open(servers)
        self.distortions = record.distortions(self.args.place, self.reasons)
        self.boot_all()
        self.save()
        self.find_price()
        todo = [w for w in self.workloads if w.name != "boot-init"]
        by_hand = {"vmm-memory": self.measure_memory, "density": self.measure_density}
        for cell in self.cells.values():
            if cell.workload == "boot-init" and not cell.values:
                cell.error = self.errors.get(cell.column, NATIVE)
        total = self.args.repeats * len(todo) * len(self.columns)
        begin, done = time.monotonic(), 0
        for _ in range(self.args.repeats):
            for workload in todo:
                for column in self.columns:
                    by_hand.get(workload.name, self.measure)(workload, column)
                    done += 1
                    self.left = (time.monotonic() - begin) / done * (total - done)
                self.save()

    def save(self):
        new = f"{self.args.run}/bench.json.new"
        with open(new, "w") as f:
            json.dump(record.result(self), f, indent=1)
        os.replace(new, f"{self.args.run}/bench.json")
