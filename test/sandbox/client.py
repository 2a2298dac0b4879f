"""A small client of rstar-sandbox, for tests that want the bare program.

It speaks the frames of src/core/sandbox/frame.h over a socket pair, starts the
program as the extension does, and offers one blocking call per step.
"""
import fcntl
import os
import pwd
import socket
import struct
import subprocess
import time

CONFIG, START, RELEASE, VALUE, STATS, READY, RESULT, EVICTED, GONE, FATAL = range(1, 11)
STATUS = ("ok", "error", "timeout", "killed")
FORCE_REPLAY = 1
NO_SNAPSHOT = 1
SMALL, SYMPY = 0, 1
FEATURES = ("seccomp", "notify", "landlock", "namespaces", "meter", "huge", "fixed", "broker")

MODULES = (
    "math cmath fractions decimal itertools functools collections heapq bisect statistics random "
    "re string datetime calendar operator copy typing dataclasses json sympy mpmath"
).split()


class Died(Exception):
    pass


class Result:
    def __init__(self, payload):
        (self.node, status, self.flags, self.line, self.signal, self.elapsed_us, self.cpu_us,
         self.bytes) = struct.unpack_from("<QBBIIQQQ", payload)
        self.status = STATUS[status]
        at = struct.calcsize("<QBBIIQQQ")
        texts = []
        for _ in range(4):
            n, = struct.unpack_from("<I", payload, at)
            texts.append(payload[at + 4:at + 4 + n])
            at += 4 + n
        self.output, self.value, self.error, self.message = texts

    def text(self):
        return b"".join((self.output, self.value, self.error, self.message)).decode("utf-8", "replace")

    def __repr__(self):
        return "<%s out=%r value=%r %s: %s line %d sig %d %.1f ms %d kB>" % (
            self.status, self.output[:200], self.value[:200], self.error[:60], self.message[:200],
            self.line, self.signal, self.elapsed_us / 1000, self.bytes >> 10)


def string(data):
    return struct.pack("<I", len(data)) + data


def as_user(name):
    """Options of Popen that make the program run as a user."""
    if not name:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Share:
    """A server-wide sandbox as a server starts it; sessions connect to it."""

    def __init__(self, program, namespaces=True, modules=MODULES, user=None, idle_ms=0):
        self.address = "\0rstar-test-%d-%s" % (os.getpid(), os.urandom(4).hex())
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.address)
        listener.listen(64)
        lifeline, self.life = os.pipe()

        def setup():
            # Out of the way first: these may have the fixed numbers themselves.
            a, b = os.dup(listener.fileno()), os.dup(lifeline)
            a, b = fcntl.fcntl(a, fcntl.F_DUPFD, 20), fcntl.fcntl(b, fcntl.F_DUPFD, 20)
            os.dup2(a, 3)
            os.dup2(b, 4)
            os.set_inheritable(3, True)
            os.set_inheritable(4, True)

        subprocess.run([program, "share", "namespaces" if namespaces else "plain", str(idle_ms),
                        "\n".join(modules)], env={}, stdin=subprocess.DEVNULL, close_fds=False,
                       preexec_fn=setup, check=True, **as_user(user))
        listener.close()
        os.close(lifeline)

    def connect(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(self.address)
        return sock

    def close(self):
        os.close(self.life)


class Sandbox:
    def __init__(self, program, replay=False, namespaces=True, modules=MODULES, running=2,
                 budget=2 << 30, user=None, idle_ms=0, processes=256, share=None):
        self.next_id = 100
        self.buffer = b""
        self.ready = {}
        self.evicted = set()
        self.gone = set()
        self.results = {}
        self.stats = None
        self.process = None
        self.others = set()
        if share:
            self.sock = share.connect()
        else:
            self.start_own(program, namespaces, user)
        self.send(CONFIG, struct.pack("<IIQIII", 2, FORCE_REPLAY if replay else 0, budget, processes, running,
                                      idle_ms) + string("\n".join(modules).encode()))

    def start_own(self, program, namespaces, user):
        self.sock, theirs = socket.socketpair()

        def setup():
            os.dup2(theirs.fileno(), 3)
            os.set_inheritable(3, True)

        # The fixed number 3 is what the program expects.
        self.process = subprocess.Popen(
            [program, "supervise", "namespaces" if namespaces else "plain"], env={},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=None, close_fds=False,
            preexec_fn=setup, start_new_session=True,
            **as_user(user))
        theirs.close()

    def top(self):
        """The process above all of this sandbox's: its own, or its broker in a shared one."""
        if self.process:
            return self.process.pid
        until = time.monotonic() + 30
        while time.monotonic() < until:
            pid = self.find_broker()
            if pid:
                return pid
            time.sleep(0.01)
        raise Died("the session has no broker")

    def find_broker(self):
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % name, "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if words[1:2] == [b"session"] and words[4] == str(os.getpid()).encode() and \
                    int(name) not in self.others:
                return int(name)
        return None

    def send(self, kind, payload=b""):
        self.sock.sendall(struct.pack("<IB", len(payload), kind) + payload)

    def pump(self, timeout):
        """Handle what the broker says; False when nothing came in time."""
        self.sock.settimeout(timeout)
        try:
            data = self.sock.recv(1 << 20)
        except (TimeoutError, BlockingIOError):
            return False
        except ConnectionResetError:
            data = b""
        if not data:
            raise Died("the broker is gone")
        self.buffer += data
        while len(self.buffer) >= 5:
            size, kind = struct.unpack_from("<IB", self.buffer)
            if len(self.buffer) < 5 + size:
                break
            self.frame(kind, self.buffer[5:5 + size])
            self.buffer = self.buffer[5 + size:]
        return True

    def frame(self, kind, payload):
        if kind == READY:
            index, features, landlock, size, space = struct.unpack_from("<IIIQQ", payload)
            names = [n for i, n in enumerate(FEATURES) if features >> i & 1]
            self.ready[index] = (names, landlock, size, space, payload[32:])
        elif kind == RESULT:
            result = Result(payload)
            self.results[result.node] = result
        elif kind == EVICTED:
            self.evicted.add(struct.unpack("<Q", payload)[0])
        elif kind == GONE:
            node, base = struct.unpack("<QQ", payload)
            self.gone.add(node)
            self.evicted.add(base)
        elif kind == FATAL:
            _, node = struct.unpack_from("<IQ", payload)
            n, = struct.unpack_from("<I", payload, 12)
            raise Died("fatal: %s (node %d)" % (payload[16:16 + n].decode(), node))
        elif kind == STATS:
            self.stats = struct.unpack("<11Q", payload)

    def start(self, pieces, base=None, template=SMALL, wall=5000, cpu=5000, memory=256 << 20,
              output=65536, flags=0, value=0.0):
        if isinstance(pieces, (str, bytes)):
            pieces = [pieces]
        pieces = [p.encode("utf-8", "surrogatepass") if isinstance(p, str) else p for p in pieces]
        node = self.next_id
        self.next_id += 1
        self.send(START, struct.pack("<QQIIIIQIdI", node, template if base is None else base, flags,
                                     wall, cpu, template, memory, output, value, len(pieces))
                  + b"".join(map(string, pieces)))
        return node

    def wait(self, node, timeout=30):
        until = time.monotonic() + timeout
        while node not in self.results:
            if node in self.gone:
                raise KeyError("base is gone")
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("no reply for node %d" % node)
            self.pump(left)
        return self.results.pop(node)

    def run(self, pieces, **options):
        node = self.start(pieces, **options)
        return node, self.wait(node)

    def release(self, node):
        self.send(RELEASE, struct.pack("<Q", node))

    def get_stats(self):
        self.stats = None
        self.send(STATS)
        while self.stats is None:
            if not self.pump(10):
                raise TimeoutError("no statistics")
        return dict(zip(("steps", "forks", "timeouts", "killed", "evictions", "snapshots", "running",
                         "waiting", "bytes", "budget", "peak"), self.stats))

    def kill(self):
        if self.process:
            self.process.kill()
        self.sock.close()

    def close(self):
        self.sock.close()
        return self.process.wait(5) if self.process else 0
