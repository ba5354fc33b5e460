# SPDX-License-Identifier: GPL-2.0-or-later
"""What all columns share: the network between host and guests, their disks, and the host itself as a column.

The network is in a namespace of its own, so that nothing of it can be left behind.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

import counters
import guests

HOST, NATIVE = "10.79.0.1", "10.79.0.2"
FIRST_GUEST = 10
DISK_MIB = 128
NAMESPACE = "BENCH_NAMESPACE"
NATIVE_LIMIT = 60


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def enter_namespace():
    if not os.environ.get(NAMESPACE):
        os.environ[NAMESPACE] = "y"
        os.execvp("unshare", ["unshare", "--net", "--", sys.executable, *sys.argv])


def free_mib():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("MemAvailable:")) // 1024


class Rig:
    """@no_network says why guests have none, or None."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="paravane-bench-", dir=os.environ.get("SCRATCH") or None)
        self.processes, self.inside = [], []
        self.pattern = os.urandom(1 << 20)
        self.no_network = None if os.path.exists("/dev/net/tun") else "there is no /dev/net/tun (modprobe tun)"

    def open(self, servers):
        """The network, with @servers on the host's end of it."""
        try:
            with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as f:
                f.write("1")
            run("ip", "link", "set", "lo", "up")
            self._make_network(servers)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "output", "") or ""
            self.no_network = f"no network for guests: {said.strip() or error}"

    def _make_network(self, servers):
        subprocess.run(["modprobe", "-a", "vhost_net", "bridge"], stderr=subprocess.DEVNULL, check=False)
        holder = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"],
                                  start_new_session=True)
        self.processes.append(holder)
        own, peer = os.readlink("/proc/self/ns/net"), str(holder.pid)
        end = time.monotonic() + 10
        while os.readlink(f"/proc/{peer}/ns/net") == own:
            if time.monotonic() > end:
                raise OSError("unshare --net does nothing")
            time.sleep(0.01)
        run("ip", "link", "add", "bench", "type", "bridge")
        run("ip", "addr", "add", f"{HOST}/24", "dev", "bench")
        run("ip", "link", "set", "bench", "up")
        run("ip", "link", "add", "native0", "type", "veth", "peer", "name", "eth0", "netns", peer)
        run("ip", "link", "set", "native0", "master", "bench", "up")
        self.inside = ["nsenter", "-t", peer, "-n"]
        run(*self.inside, "ip", "addr", "add", f"{NATIVE}/24", "dev", "eth0")
        run(*self.inside, "ip", "link", "set", "eth0", "up")
        for server in servers:
            command = [word.format(server=HOST) for word in server]
            self.processes.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command], start_new_session=True, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def tap(self, name):
        """The tap device of one guest, made if there is a network."""
        if self.no_network:
            return None
        run("ip", "tuntap", "add", name, "mode", "tap")
        run("ip", "link", "set", name, "master", "bench", "up")
        return name

    @staticmethod
    def wire(tap):
        """A function that says how many bytes have gone over that tap."""
        def bytes_now():
            # /sys may show another namespace's devices
            lines = counters.read("/proc/net/dev").splitlines()
            line = next(line for line in lines if line.strip().startswith(tap + ":"))
            numbers = line.split(":")[1].split()
            return int(numbers[0]) + int(numbers[8])
        return bytes_now

    def disk(self, name):
        """A disk of random data: every guest has one of its own, which are all the same."""
        path = f"{self.dir}/{name}.disk"
        if not os.path.exists(path):
            with open(path, "wb") as f:
                for _ in range(DISK_MIB):
                    f.write(self.pattern)
        return path

    def run_native(self, command, network):
        """As guests.Guest.run(), by the host; there is nothing to count."""
        inside = self.inside if network else []
        before = os.times()
        try:
            done = subprocess.run([*inside, "sh", "-c", command], timeout=NATIVE_LIMIT, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        except subprocess.TimeoutExpired:
            raise guests.GuestError(f"no end after {NATIVE_LIMIT} s") from None
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        sample = counters.Sample(None, {}, {True: cpu, False: 0.0})
        return done.returncode, done.stdout, sample

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
