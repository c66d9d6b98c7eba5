"""`coduel sandbox run` over hostile programs: contained, the right verdict, and a clean host afterwards."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import processes
from harness.server import BINARY, ROOT, coduel, environment
from harness.waiting import until

SUFFIX = {"c": ".c", "cpp": ".cpp", "python": ".py", "javascript": ".js"}
LANGUAGE_OF = {suffix: language for language, suffix in SUFFIX.items()} | {".cc": "cpp", ".mjs": "javascript"}
TIME_LIMIT_MS, WALL_LIMIT_MS = 1000, 3000
# node needs some for itself.
MEMORY_LIMIT_MIB = {"c": 128, "cpp": 128, "python": 128, "javascript": 512}
# A program that got out says so; what it prints when it was stopped does not matter.
ESCAPED = "ESCAPED"
VERDICTS = {"AC", "WA", "TLE", "MLE", "RTE", "OLE", "CE"}


def has_living_owner(pid: int) -> bool:
    """True below a helper whose own parent lives: part of a sandbox that somebody else is using now.

    The commands that a test ran have ended when the host is looked at, so their leftovers have lost their parents.
    """
    helper_parent = 0
    while pid > 1:
        status = processes.status(pid)
        parent = int(status.get("PPid", "0"))
        if status.get("Name", "").startswith("sandbox-helper"):
            helper_parent = parent
        pid = parent
    return helper_parent > 1


class Host:
    """What a run could leave behind on this machine."""

    def __init__(self):
        own = processes.namespace(os.getpid(), "pid")
        self.processes = {
            (pid, processes.start_time(pid))
            for pid in processes.all_pids()
            if processes.namespace(pid, "pid") not in (own, "") or processes.status(pid).get("Name") == "sandbox-helper"
            if processes.is_running(pid) and not has_living_owner(pid)
        }
        self.cgroups = {folder for folder, _, _ in os.walk("/sys/fs/cgroup") if self.is_stray_group(folder)}
        self.mounts = set(Path("/proc/mounts").read_text().splitlines())
        self.files = {
            str(path)
            for folder in ("/dev/shm", "/dev/mqueue", "/var/tmp")
            if os.path.isdir(folder)
            for path in Path(folder).iterdir()
        }
        self.files |= {str(path) for path in Path("/tmp").iterdir() if "sandbox" in path.name or self.is_foreign(path)}
        self.ipc = (
            {
                line.split()[1]
                for kind in ("shm", "msg", "sem")
                for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
            }
            if os.path.isdir("/proc/sysvipc")
            else set()
        )

    @staticmethod
    def is_stray_group(folder: str) -> bool:
        """A group of a sandbox; its name ends in the number of the helper that made it."""
        name = re.search(r"/(?:coduel|sandbox)[^/]*", folder)
        helper = re.search(r"(\d+)$", name[0]) if name else None
        return bool(name) and not (helper and has_living_owner(int(helper[1])))

    @staticmethod
    def is_foreign(path: Path) -> bool:
        try:
            return path.lstat().st_uid != os.geteuid() and not path.name.startswith("coduel-acceptance-")
        except OSError:
            return False

    def leftovers_since(self, before: "Host") -> dict[str, list]:
        found = {
            name: sorted(getattr(self, name) - getattr(before, name))
            for name in ("processes", "cgroups", "mounts", "files", "ipc")
        }
        return {name: things for name, things in found.items() if things}


def assert_clean(before: Host) -> None:
    """Nothing is left a moment after the end of a run."""
    left = {}

    def look():
        left.clear()
        left.update(Host().leftovers_since(before))
        return not left

    try:
        until("a clean host", look, 3)
    except AssertionError:
        raise AssertionError(f"left on the host: {left}") from None


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """One harmless run first: what the sandbox keeps for all runs is no leftover of one."""
    folder = tmp_path_factory.mktemp("warm")
    result = run_source(folder, "python", "print(1)")
    assert result["verdict"] == "AC" and result["stdout"] == "1\n", result
    return result


@pytest.fixture(autouse=True)
def clean_host(warm):
    """Whatever the test ran, nothing of it is left a moment later."""
    before = Host()
    yield
    assert_clean(before)


def run_file(source: Path, language: str, *flags: str, stdin: str | None = None, timeout: float = 60) -> dict:
    """One run with the limits of these tests; the JSON object, whose verdict agrees with the exit code."""
    arguments = ["sandbox", "run", "--language", language, "--source", str(source), "--json"]
    defaults = {
        "--time-limit-ms": TIME_LIMIT_MS,
        "--wall-limit-ms": WALL_LIMIT_MS,
        "--memory-limit-mib": MEMORY_LIMIT_MIB[language],
    }
    for flag, value in defaults.items():
        if flag not in flags:
            arguments += [flag, str(value)]
    if stdin is not None:
        path = source.with_name("stdin.txt")
        path.write_text(stdin)
        arguments += ["--stdin", str(path)]
    done = coduel(*arguments, *flags, timeout=timeout)
    try:
        result = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(
            f"sandbox run ended with {done.returncode} and no JSON: {done.stdout[:500]} {done.stderr[:2000]}"
        ) from None
    assert result["verdict"] in VERDICTS, (
        f"verdict {result['verdict']} (JE is our own fault): {done.stdout[:1000]} {done.stderr[:1000]}"
    )
    for key in (
        "exit_code",
        "signal",
        "cpu_time_ms",
        "wall_time_ms",
        "memory_bytes",
        "stdout",
        "stderr",
        "stdout_truncated",
        "stderr_truncated",
        "compile",
        "layers",
    ):
        assert key in result, f"the result lacks {key!r}: {sorted(result)}"
    return result


def run_source(
    folder: Path, language: str, source: str, *flags: str, stdin: str | None = None, timeout: float = 60
) -> dict:
    path = folder / f"main{SUFFIX[language]}"
    path.write_text(source)
    return run_file(path, language, *flags, stdin=stdin, timeout=timeout)


@dataclass
class Program:
    language: str
    source: str
    verdicts: set[str]


def c(body: str, *verdicts: str, head: str = "") -> Program:
    """A C program of a main body, with everything included that these need."""
    includes = "".join(
        f"#include <{name}>\n"
        for name in (
            "errno.h",
            "fcntl.h",
            "pthread.h",
            "sched.h",
            "signal.h",
            "stdint.h",
            "stdio.h",
            "stdlib.h",
            "string.h",
            "unistd.h",
            "sys/mman.h",
            "sys/mount.h",
            "sys/ptrace.h",
            "sys/resource.h",
            "sys/shm.h",
            "sys/socket.h",
            "sys/stat.h",
            "sys/syscall.h",
            "sys/wait.h",
            "netinet/in.h",
            "arpa/inet.h",
        )
    )
    out = f'#define ESCAPE_IF(x) do {{ if (x) {{ printf("{ESCAPED} %s\\n", #x); fflush(stdout); }} }} while (0)\n'
    return Program(
        "c", f"#define _GNU_SOURCE\n{includes}{out}{head}\nint main(void) {{\n{body}\nreturn 0;\n}}\n", set(verdicts)
    )


PROGRAMS = {
    # Time
    "endless loop": c("for (;;) ;", "TLE"),
    "sleep": c("sleep(1000);", "TLE"),
    "pause": c("pause();", "TLE"),
    # Processes
    "fork bomb": c("for (;;) fork();", "TLE", "RTE", "MLE"),
    "daemon that burns on": c(
        "if (fork() == 0) { setsid(); if (fork() == 0) for (;;) ; _exit(0); } usleep(50000);", "AC", "RTE"
    ),
    # Memory
    "memory bomb": c("for (;;) { char *p = malloc(1 << 20); if (p) memset(p, 1, 1 << 20); }", "MLE"),
    "shared memory segment left behind": c(
        "int id = shmget(IPC_PRIVATE, 64 << 20, 0600); if (id >= 0) { char *p = shmat(id, 0, 0); if (p != (void *)-1) memset(p, 1, 64 << 20); }",
        "AC",
        "RTE",
        "MLE",
    ),
    # Output and files
    "output flood": c(
        "char b[65536]; memset(b, 'x', sizeof b); for (;;) if (write(1, b, sizeof b) < 0) return 1;", "OLE"
    ),
    "fills the disk": c(
        'char b[65536] = {1}; for (int i = 0; i < 100; i++) { char n[32]; sprintf(n, "f%d", i); int f = open(n, O_CREAT | O_WRONLY, 0600); if (f < 0) return 1; while (write(f, b, sizeof b) > 0) ; }',
        "RTE",
        "MLE",
        "OLE",
        "AC",
        "TLE",
    ),
    # Reading what it must not
    "reads the host's secrets": c(
        'const char *paths[] = {"/etc/shadow", "/etc/sudoers", "/root/.bashrc", "/proc/1/environ", "/proc/1/root/etc/hostname", "/dev/sda", "/dev/mem", "/dev/kmsg", "/proc/kcore", "/proc/keys", "/sys/firmware"};'
        'for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) { char b[64]; int f = open(paths[i], O_RDONLY | O_NONBLOCK); if (f >= 0 && read(f, b, sizeof b) > 0) printf("'
        + ESCAPED
        + ' read %s\\n", paths[i]); }',
        "AC",
        "RTE",
    ),
    "writes where it must not": c(
        'const char *paths[] = {"/etc/x", "/usr/x", "/usr/lib/x", "/bin/x", "/lib/x", "/proc/sys/kernel/hostname", "/sys/fs/cgroup/x", "/dev/x"};'
        'for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) { if (open(paths[i], O_CREAT | O_WRONLY, 0600) >= 0) printf("'
        + ESCAPED
        + ' wrote %s\\n", paths[i]); }',
        "AC",
        "RTE",
    ),
    # Privileges and the kernel
    "makes devices": c(
        'ESCAPE_IF(mknod("d", S_IFBLK | 0600, 8 << 8) == 0); ESCAPE_IF(mknod("/dev/d", S_IFCHR | 0600, 1 << 8 | 1) == 0);',
        "AC",
        "RTE",
    ),
    "uses odd corners of the kernel": c(
        "ESCAPE_IF(syscall(425 /* io_uring_setup */, 8, calloc(1, 512)) >= 0); ESCAPE_IF(syscall(SYS_bpf, 0, calloc(1, 128), 128) >= 0); ESCAPE_IF(syscall(SYS_userfaultfd, 0) >= 0);"
        'ESCAPE_IF(syscall(SYS_add_key, "user", "k", "v", 1, -3) >= 0); ESCAPE_IF(syscall(SYS_perf_event_open, calloc(1, 128), 0, -1, -1, 0) >= 0);',
        "AC",
        "RTE",
    ),
    "raises its limits": c(
        "struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY}; ESCAPE_IF(setrlimit(RLIMIT_NOFILE, &r) == 0); ESCAPE_IF(setrlimit(RLIMIT_CPU, &r) == 0); ESCAPE_IF(setpriority(PRIO_PROCESS, 0, -20) == 0);",
        "AC",
        "RTE",
    ),
    "sets the clock": c(
        "struct timespec t = {0}; ESCAPE_IF(clock_settime(CLOCK_REALTIME, &t) == 0);",
        "AC",
        "RTE",
        head="#include <time.h>",
    ),
    # Ways to end
    "exits with 42": c("return 42;", "RTE"),
    "aborts": c("abort();", "RTE"),
    "cannot be compiled": Program("c", "int main( {", {"CE"}),
    "python deep recursion": Program(
        "python", "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)\nf(0)\n", {"RTE", "MLE", "TLE"}
    ),
    "python exception": Program("python", "1 / 0\n", {"RTE"}),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_hostile_program(name, tmp_path):
    program = PROGRAMS[name]
    result = run_source(tmp_path, program.language, program.source)
    shown = {key: value for key, value in result.items() if key not in ("layers",)} | {
        "stdout": result["stdout"][:300],
        "stderr": result["stderr"][:300],
    }
    assert result["verdict"] in program.verdicts, (
        f"verdict {result['verdict']}, expected {' or '.join(sorted(program.verdicts))}: {shown}"
    )
    assert ESCAPED not in result["stdout"], f"it got out: {shown}"
    assert result["cpu_time_ms"] <= 2 * TIME_LIMIT_MS, (
        f"CPU {result['cpu_time_ms']} ms under a limit of {TIME_LIMIT_MS}"
    )
    assert result["wall_time_ms"] <= WALL_LIMIT_MS + 2000, (
        f"wall {result['wall_time_ms']} ms under a limit of {WALL_LIMIT_MS}"
    )


def test_measured_time(tmp_path):
    spinning = run_source(tmp_path, "c", PROGRAMS["endless loop"].source)
    assert TIME_LIMIT_MS * 0.95 <= spinning["cpu_time_ms"] <= TIME_LIMIT_MS * 1.4, spinning["cpu_time_ms"]
    sleeping = run_source(tmp_path, "c", PROGRAMS["sleep"].source)
    assert sleeping["cpu_time_ms"] < 200 and sleeping["wall_time_ms"] >= 900, (
        f"cpu {sleeping['cpu_time_ms']} wall {sleeping['wall_time_ms']}"
    )


def test_measured_memory(tmp_path):
    touch = (
        'volatile char *p = malloc(50 << 20); for (int i = 0; i < 50 << 20; i += 1024) p[i] = 1; printf("%d", p[1024]);'
    )
    result = run_source(tmp_path, "c", c(touch, "AC").source)
    assert result["verdict"] == "AC", result
    assert 50 << 20 <= result["memory_bytes"] <= 70 << 20, f"{result['memory_bytes']} bytes, expected 50 to 70 MiB"


def test_exit_code_and_signal(tmp_path):
    assert run_source(tmp_path, "c", PROGRAMS["exits with 42"].source)["exit_code"] == 42
    assert run_source(tmp_path, "c", PROGRAMS["aborts"].source)["signal"] in (6, "SIGABRT")


def test_a_flood_of_errors_is_only_cut(tmp_path):
    result = run_source(tmp_path, "python", "import sys\nsys.stderr.write('e' * 8_000_000)\nprint('fine')\n")
    assert result["verdict"] == "AC" and result["stdout"] == "fine\n", result["verdict"]
    assert result["stderr_truncated"] and not result["stdout_truncated"] and len(result["stderr"]) < 2_000_000


def test_input_output_and_expectation(tmp_path):
    expected = tmp_path / "expected.txt"
    expected.write_text("6\n")
    source = "print(sum(map(int, input().split())))"
    right = run_source(tmp_path, "python", source, "--expect", str(expected), stdin="1 2 3\n")
    assert right["verdict"] == "AC" and right["stdout"] == "6\n", right
    assert run_source(tmp_path, "python", source, "--expect", str(expected), stdin="1 2 4\n")["verdict"] == "WA"
    for language, text in (
        ("cpp", "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b << std::endl; }"),
        (
            "c",
            '#include <stdio.h>\nint main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", a + b); return 0; }',
        ),
        (
            "javascript",
            "const [a, b] = require('fs').readFileSync(0, 'utf8').trim().split(' ').map(Number); console.log(a + b)",
        ),
    ):
        result = run_source(tmp_path, language, text, "--expect", str(expected), stdin="2 4\n")
        assert result["verdict"] == "AC", f"{language}: {result}"


def test_exit_code_of_the_command_follows_the_verdict(tmp_path):
    for source, verdict in (("print(1)", "AC"), ("1/0", "RTE")):
        path = tmp_path / "main.py"
        path.write_text(source)
        done = coduel("sandbox", "run", "--language", "python", "--source", path, "--json")
        assert json.loads(done.stdout)["verdict"] == verdict
        assert done.returncode in (0, 1) and (verdict != "AC" or done.returncode == 0), done.returncode


def test_no_network(tmp_path):
    """A listener of ours on loopback hears nothing."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port, stop = listener.getsockname()[1], threading.Event()

        def accept():
            while not stop.is_set():
                try:
                    heard.append(listener.accept())
                except OSError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        source = (
            "import socket\n"
            f"for address in (('127.0.0.1', {port}), ('169.254.169.254', 80), ('192.0.2.1', 80), ('10.0.0.1', 22)):\n"
            "    try:\n        socket.create_connection(address, 0.3)\n        print('ESCAPED', address)\n    except OSError as error:\n        print(error)\n"
        )
        result = run_source(tmp_path, "python", source)
        stop.set()
        thread.join()
    assert not heard and ESCAPED not in result["stdout"], f"{result['stdout']}{result['stderr']}"
    assert result["verdict"] in ("AC", "RTE"), result


def test_nothing_of_the_host_is_in_sight(tmp_path):
    """No file of ours, no answer file, no environment, no process, no name of the host."""
    secret = tmp_path / "secret.ans"
    secret.write_text("hostsecret")
    secret.chmod(0o644)
    source = f"""
import os, socket
seen = []
for root, folders, files in os.walk('/', followlinks=False):
    if root.startswith(('/proc', '/sys', '/usr', '/lib')):
        folders.clear()
        continue
    seen += [os.path.join(root, f) for f in files if f.endswith('.ans') or 'secret' in f or 'coduel' in f]
if seen: print('ESCAPED files', seen)
for path in ({str(secret)!r}, {str(ROOT / "Package.swift")!r}, {str(BINARY)!r}):
    if os.path.exists(path): print('ESCAPED', path)
if any('hostsecret' in v for v in os.environ.values()): print('ESCAPED environment')
others = [p for p in os.listdir('/proc') if p.isdigit()] if os.path.isdir('/proc') else []
if len(others) > 4: print('ESCAPED processes', others)
if socket.gethostname() == {socket.gethostname()!r}: print('ESCAPED host name')
print('uid', os.getuid())
"""
    path = tmp_path / "main.py"
    path.write_text(source)
    done = subprocess.run(
        [
            str(BINARY),
            "sandbox",
            "run",
            "--language",
            "python",
            "--source",
            str(path),
            "--json",
            "--time-limit-ms",
            "5000",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment({"HOST_SECRET": "hostsecret"}),
    )
    result = json.loads(done.stdout)
    assert result["verdict"] == "AC" and ESCAPED not in result["stdout"], f"{result['stdout']}{result['stderr']}"
    assert "uid 0" not in result["stdout"], "guests must not be root, even inside"


def test_a_run_leaves_nothing_for_the_next(tmp_path):
    plant = (
        "import os, tempfile\nfor folder in ('.', '/tmp', '/dev/shm', '/var/tmp', os.path.expanduser('~')):\n"
        "    for name in ('planted', 'sitecustomize.py', 'random.py'):\n"
        "        try: open(os.path.join(folder, name), 'w').write('print(\"ESCAPED\")')\n        except OSError: pass\n"
    )
    assert run_source(tmp_path, "python", plant)["verdict"] in ("AC", "RTE")
    look = (
        "import os, random\nfor folder in ('.', '/tmp', '/dev/shm', '/var/tmp', os.path.expanduser('~')):\n"
        "    if os.path.exists(os.path.join(folder, 'planted')): print('ESCAPED', folder)\nprint('clean')\n"
    )
    result = run_source(tmp_path, "python", look)
    assert result["stdout"] == "clean\n", result["stdout"]


@pytest.mark.timeout(240)
def test_a_burst_of_runs_leaves_a_clean_host(tmp_path):
    """Several at once, hostile ones among them, each in its own box."""
    before = Host()
    results: list[tuple[str, str]] = []

    def one(index: int, name: str):
        folder = tmp_path / str(index)
        folder.mkdir()
        program = PROGRAMS[name]
        results.append((name, run_source(folder, program.language, program.source, timeout=120)["verdict"]))

    names = ["fork bomb", "memory bomb", "exits with 42", "daemon that burns on", "output flood", "python exception"]
    threads = [threading.Thread(target=one, args=(index, name)) for index, name in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(names), f"only {len(results)} of {len(names)} runs came to an end"
    for name, verdict in results:
        assert verdict in PROGRAMS[name].verdicts, f"{name}: {verdict}"
    assert_clean(before)


class Fixture:
    """A program of fixtures/attacks; comments at its head say what it must come to."""

    def __init__(self, path: Path):
        self.path, self.language = path, LANGUAGE_OF[path.suffix]
        head = path.read_text(errors="replace").splitlines()[:8]
        facts = [match.groups() for line in head if (match := re.match(r"(?://|#)\s*([a-z]+):\s*(.+)", line))]
        self.values = {key: [value.strip() for k, value in facts if k == key] for key, _ in facts}
        self.verdicts = set(self.values["expect"][0].split())
        limits = dict(pair.split("=") for pair in " ".join(self.values.get("limits", [])).split())
        # The command line takes no limit of processes or output; what the program says may depend on them.
        self.needs_other_limits = bool({"processes", "output"} & limits.keys())
        self.flags = ["--memory-limit-mib", limits.get("memory", "256")]
        self.flags += ["--time-limit-ms", limits.get("cpu", "1000"), "--wall-limit-ms", limits.get("wall", "3000")]

    def faults(self, folder: Path) -> list[str]:
        """What a run of it shows that it should not."""
        source = folder / f"main{self.path.suffix}"
        source.write_bytes(self.path.read_bytes())
        result = run_file(source, self.language, *self.flags, stdin="input\n", timeout=120)
        layers = " ".join(map(str, result["layers"]))
        allowed = (
            self.verdicts
            if "cgroup-memory" in layers
            else self.verdicts | set(" ".join(self.values.get("weak", [])).split())
        )
        output = result["stdout"] if result["verdict"] != "CE" else json.dumps(result["compile"])
        found = []
        if result["verdict"] not in allowed:
            found.append(f"verdict {result['verdict']}, expected {' or '.join(sorted(allowed))}")
        if not self.needs_other_limits:
            found += [f"does not say {text!r}" for text in self.values.get("says", []) if text not in output]
        found += [f"says {text!r}" for text in self.values.get("lacks", []) if text in output]
        for key, field in (("exit", "exit_code"), ("signal", "signal")):
            if key in self.values and str(result[field]) != self.values[key][0]:
                found.append(f"{field} {result[field]}, expected {self.values[key][0]}")
        return [f"{self.path.name}: {fault}; printed {output[:200]!r} {result['stderr'][:200]!r}" for fault in found]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("folder", ["run", "compile"])
def test_hostile_fixtures(folder, tmp_path):
    """All of fixtures/attacks through the command line, two at a time, as the judge does."""
    fixtures = [
        Fixture(path) for path in sorted((ROOT / "fixtures/attacks" / folder).iterdir()) if path.suffix in LANGUAGE_OF
    ]
    assert len(fixtures) >= 10, f"only {len(fixtures)} programs in fixtures/attacks/{folder}"

    def one(fixture: Fixture) -> list[str]:
        place = tmp_path / fixture.path.name
        place.mkdir()
        try:
            return fixture.faults(place)
        except AssertionError as failure:
            return [f"{fixture.path.name}: {failure}"]

    with ThreadPoolExecutor(2) as pool:
        faults = [fault for found in pool.map(one, fixtures) for fault in found]
    assert not faults, "\n".join(faults)


def test_doctor_names_what_protects():
    done = coduel("doctor", timeout=120)
    assert done.returncode in (0, 1) and done.stdout.strip(), f"{done.returncode} {done.stderr}"
    for word in ("namespace", "cgroup", "seccomp", "python"):
        assert word in done.stdout.lower(), f"doctor says nothing of {word}:\n{done.stdout}"
    assert done.returncode == 0, f"the sandbox cannot isolate here:\n{done.stdout}"


def test_layers_of_a_run(warm):
    layers = " ".join(map(str, warm["layers"])).lower()
    for word in (
        "pid-namespace",
        "mount-namespace",
        "network-namespace",
        "private-root",
        "seccomp",
        "no-new-privileges",
    ):
        assert word in layers, f"no layer {word!r} in {warm['layers']}"
