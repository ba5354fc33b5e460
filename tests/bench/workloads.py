# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: a table of commands, and how their output is read."""
import json

# Shell commands; {disk} is the disk under test, {direct} whether to pass its cache by, {server} who runs
# SERVERS, {seconds} how long. PATH leads to pvbench and what is needed of PROGRAMS.
PROGRAMS = ("fio", "iperf3", "sqlite3", "mke2fs", "cc1")
FIO = ("fio --name={name} --filename={{disk}} --rw={rw} --bs={bs} --direct={{direct}} --invalidate=0 --thread"
       " --output-format=json")
TIMED = " --time_based --runtime={{seconds}}"
QUEUED = " --ioengine=libaio --iodepth={depth}"
IPERF = "iperf3 --client {{server}} --time {{seconds}} --json{more}"
RR_PORT = 5202
# Fixed work that does not tell the time itself
CLOCKED = "read begin rest </proc/uptime; {work} || exit; read end rest </proc/uptime; echo $begin $end {count}"
# busybox would run its own mke2fs, whatever PATH says
SQLITE = ("mkfs=/mnt/bin/mke2fs; [ -x $mkfs ] || mkfs=mke2fs; cd /tmp; mkdir -p sqlite;"
          " $mkfs -q -F -O has_journal,extent {{disk}} && mount -t ext4 {{disk}} sqlite || exit;"
          " trap 'umount sqlite' EXIT; (echo 'create table t(a, b);'; for i in $(seq {count}); do"
          " echo \"insert into t values($i, randomblob(100));\"; done) >transactions; ")
# The compiler proper lies outside PATH where there is a whole gcc
COMPILE = ("cc1=$(gcc -print-prog-name=cc1 2>/dev/null || echo cc1); for i in $(seq {count}); do"
           " echo \"int f$i(int *p, int n) {{{{ int s = $i; for (int k = 0; k < n; k++) s += p[k] * (s >> $i % 31);"
           " return s; }}}}\"; done >/tmp/source.c; ")

# What runs on the host meanwhile, as argument lists; {server} is its address.
SERVERS = [["iperf3", "--server", "--bind", "{server}"], ["pvbench", "rr-server", str(RR_PORT)]]

GROUPS = ("cpu", "block", "net", "boot", "memory", "density")
MB = 1000 * 1000


def last_json(text):
    """The object a program printed; words before and after it are left out."""
    return json.loads(text[text.index("{"):text.rindex("}") + 1])


def fio_iops(direction):
    def read(text):
        done = last_json(text)["jobs"][0][direction]
        return done["iops"], done["total_ios"]
    return read


def fio_mbps(direction):
    def read(text):
        done = last_json(text)["jobs"][0][direction]
        return done["bw_bytes"] / MB, done["io_bytes"] / MB
    return read


def fio_verified(text):
    """What was written and then read again, by the time both took."""
    job = last_json(text)["jobs"][0]
    megabytes = (job["write"]["io_bytes"] + job["read"]["io_bytes"]) / MB
    return megabytes / (job["write"]["runtime"] + job["read"]["runtime"]) * 1000, megabytes


def iperf_mbps(text):
    end = last_json(text)["end"]["sum_received"]
    return end["bits_per_second"] / 8 / MB, end["bytes"] / MB


def pvbench_time(unit):
    """The time of one operation."""
    scale = {"ns": 1, "us": 1000}[unit]

    def read(text):
        done = last_json(text)
        return done["per_op_ns"] / scale, done["ops"]
    return read


def clocked(command, count, work):
    """@work, which does @count of something, after the preparations of @command."""
    return command.format(count=count) + CLOCKED.format(work=work, count=count)


def uptimes(text):
    """What a clocked command says last: seconds, how many."""
    begin, end, count = map(float, text.split()[-3:])
    return end - begin, count


def clocked_rate(text):
    seconds, count = uptimes(text)
    return count / seconds, count


def clocked_time(text):
    """Of one of them, in ms."""
    seconds, count = uptimes(text)
    return seconds * 1000 / count, count


class Workload:
    """A row: @read(output of @command) gives (its value in @unit, how many of @per were done).

    @group is one of GROUPS, @better "higher" or "lower". @quick and @full are seconds; without quick it is left
    out of a quick run. @cpus, @disk and @net are what it needs. Where @command is None, the harness measures
    from outside; with @window it counts in an interval of so many seconds while @command runs, which takes
    a few more, and what it counts is the value.
    """

    def __init__(self, name, group, title, unit, per, command, read, *, better="higher", quick=1, full=4, cpus=1,
                 disk=False, net=False, window=False):
        self.name, self.group, self.title, self.unit, self.per = name, group, title, unit, per
        self.command, self.read, self.better = command, read, better
        self.quick, self.full = quick, full
        self.cpus, self.disk, self.net, self.window = cpus, disk, net, window

    def seconds(self, quick):
        return self.quick if quick else self.full


def pvbench(name, title, unit, per, **more):
    return Workload(name, "cpu", title, unit, per, f"pvbench {name} {{seconds}}", pvbench_time(unit), better="lower",
                    quick=0.5, full=2, **more)


def fio(name, title, rw, bs, options, unit, per, read, **more):
    command = FIO.format(name=name, rw=rw, bs=bs) + options + (" --readonly" if "read" in rw else "")
    return Workload(name, "block", title, unit, per, command, read, disk=True, **more)


def fio_queued(name, title, rw, bs, depth, unit, per, read):
    return fio(name, title, rw, bs, (TIMED + QUEUED).format(depth=depth), unit, per, read)


def net(name, title, unit, per, command, read, **more):
    return Workload(name, "net", title, unit, per, command, read, net=True, **more)


def outside(name, group, title, unit, per):
    return Workload(name, group, title, unit, per, None, None, better="lower")


WORKLOADS = [
    pvbench("cpuid", "CPUID: an exit that KVM handles", "ns", "instruction"),
    pvbench("port", "I/O port 0x80 by /dev/port: an exit to the VMM", "ns", "instruction"),
    pvbench("syscall", "system call (getppid)", "ns", "call"),
    pvbench("clock", "clock_gettime", "ns", "call"),
    pvbench("page-fault", "page fault", "ns", "fault"),
    pvbench("mprotect", "mprotect, there and back", "ns", "pair"),
    pvbench("switch", "process switch, one CPU", "us", "switch"),
    pvbench("fork-exec", "fork, exec, exit", "us", "process"),
    pvbench("sleep-50us", "sleep of 50 us", "us", "sleep"),
    pvbench("switch-cross", "waking a process on another CPU", "us", "switch", cpus=2),
    pvbench("shootdown", "mprotect while another CPU uses the page", "us", "pair", cpus=2),
    pvbench("ipi", "interrupt to another, busy CPU", "us", "IPI", cpus=2),
    Workload("compile", "cpu", "compiling a function (gcc -O2)", "ms", "function",
             clocked(COMPILE, 40, "$cc1 -quiet -nostdinc -ffreestanding -O2 -o /dev/null /tmp/source.c"), clocked_time,
             # The compiler comes on a disk, too
             better="lower", quick=None, full=5, disk=True),
    Workload("idle", "cpu", "doing nothing", "exits/s", "s", "sleep {seconds}", None, better="lower", quick=2, full=5,
             window=True),
    fio_queued("randread-4k-qd1", "4 KiB random read, depth 1", "randread", "4k", 1, "IOPS", "read", fio_iops("read")),
    fio_queued("randread-4k-qd32", "4 KiB random read, depth 32", "randread", "4k", 32, "IOPS", "read",
               fio_iops("read")),
    fio_queued("read-128k-qd4", "128 KiB sequential read, depth 4", "read", "128k", 4, "MB/s", "MB", fio_mbps("read")),
    fio_queued("write-128k-qd4", "128 KiB sequential write, depth 4", "write", "128k", 4, "MB/s", "MB",
               fio_mbps("write")),
    fio("commit-4k", "4 KiB written and flushed", "write", "4k", " --ioengine=psync --fdatasync=1" + TIMED.format(),
        "IOPS", "commit", fio_iops("write"), quick=None),
    fio("verify-16k", "16 KiB random write, read again and compared", "randwrite", "16k",
        " --size=16m --verify=crc32c --verify_fatal=1" + QUEUED.format(depth=16), "MB/s", "MB", fio_verified,
        quick=None),
    Workload("sqlite", "block", "SQLite transaction on ext4", "transaction/s", "transaction",
             clocked(SQLITE, 200, "sqlite3 sqlite/db <transactions"), clocked_rate, quick=None, full=10, disk=True),
    net("tcp-out", "TCP out", "MB/s", "MB", IPERF.format(more=""), iperf_mbps),
    net("tcp-in", "TCP in", "MB/s", "MB", IPERF.format(more=" --reverse"), iperf_mbps),
    net("tcp-rr", "TCP, one byte there and back", "us", "round trip",
        f"pvbench rr-client {{seconds}} {{server}}:{RR_PORT}", pvbench_time("us"), better="lower"),
    outside("boot-init", "boot", "boot to init", "ms", "boot"),
    outside("vmm-memory", "memory", "memory of the VMM beyond the guest's", "MiB", "guest"),
    outside("density", "density", "memory of one more idle guest", "MiB", "guest"),
]

# What tests/bench/figures measures on real Xen, too
FIGURES = [w for w in WORKLOADS
           if w.name in ("randread-4k-qd1", "randread-4k-qd32", "read-128k-qd4", "tcp-out", "tcp-in")]
