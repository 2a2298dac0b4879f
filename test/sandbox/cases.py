#!/usr/bin/python3
"""Runs hostile and harmless snippets against rstar-sandbox and looks for damage.

	test/sandbox/cases.py [--program P] [--folder F] [--replay] [--plain] [--ctypes]
	                      [--user NAME] [--only ID,...] [--verbose]

The folder holds attacks.jsonl and benign.jsonl (the format is explained in the
README beside them); the repository's own cases are in test/sandbox. Around the
program stands what an attack would want: a folder with a secret, a process of
the same user that counts signals, listeners on loopback and on an abstract
socket. Prints TAP; one test per case.
"""
import argparse
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "RSTARCANARY-7f3a"
PARENT = "base=41; data=[1,2]"

VICTIM = r"""
import signal, sys
def seen(number, frame):
    print("signal", number, flush=True)
for number in range(1, 65):
    try:
        signal.signal(number, seen)
    except (OSError, ValueError):
        pass
print("ready", flush=True)
while True:
    signal.pause()
"""


class Surroundings:
    """What an escaped step could read, write, reach or hurt."""

    def __init__(self, user):
        self.dir = tempfile.mkdtemp(prefix="rstar-canary-")
        self.file = os.path.join(self.dir, "secret")
        with open(self.file, "w") as f:
            f.write(SECRET + "\n")
        with open(os.path.join(self.dir, "evil.py"), "w") as f:
            f.write("print('PWNED')\n")
        os.chmod(self.dir, 0o777)
        os.chmod(self.file, 0o666)
        self.before = self.listing()
        options = client.as_user(user)
        self.victim = subprocess.Popen([sys.executable, "-c", VICTIM], stdout=subprocess.PIPE,
                                       **options)
        assert self.victim.stdout.readline() == b"ready\n"
        os.set_blocking(self.victim.stdout.fileno(), False)
        self.connections = 0
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", 0))
        self.abstract_name = "rstar-test-%d" % os.getpid()
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind("\0" + self.abstract_name)
        for listener in (self.tcp, self.abstract):
            listener.listen(16)
            threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                listener.accept()[0].close()
                self.connections += 1
            except OSError:
                return

    def listing(self):
        found = {}
        for folder, _, names in os.walk(self.dir):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    found[path] = f.read()
        return found

    def fill(self, text, supervisor):
        for name, value in (("CANARY_FILE", self.file), ("CANARY_DIR", self.dir),
                            ("VICTIM_PID", self.victim.pid), ("SUPERVISOR_PID", supervisor),
                            ("TCP_PORT", self.tcp.getsockname()[1]),
                            ("ABSTRACT", self.abstract_name)):
            text = text.replace("{%s}" % name, str(value))
        return text

    def damage(self):
        """What has happened since the last look."""
        found = []
        now = self.listing()
        if now != self.before:
            found.append("file_written")
            self.before = now
        heard = self.victim.stdout.read()
        if heard or self.victim.poll() is not None:
            found.append("host_signalled")
        if self.connections:
            found.append("network_reached")
            self.connections = 0
        return found

    def close(self):
        self.victim.send_signal(signal.SIGKILL)
        self.victim.wait()
        self.tcp.close()
        self.abstract.close()
        shutil.rmtree(self.dir)


def descendants(root):
    """Pids below root, by /proc."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as f:
                    fields = f.read().rsplit(")", 1)[1].split()
                parents[int(name)] = int(fields[1])
            except OSError:
                pass
    found, grown = {root}, True
    while grown:
        grown = False
        for pid, parent in parents.items():
            if parent in found and pid not in found:
                found.add(pid)
                grown = True
    return found - {root}


class Runner:
    def __init__(self, args):
        self.args = args
        self.around = Surroundings(args.user)
        self.sandbox = None
        self.share = self.stranger = None
        if args.shared:
            self.open_share()
        self.count = 0
        self.failed = []
        self.restarts = 0

    def options(self):
        modules = list(client.MODULES)
        if self.args.ctypes:
            modules.append("ctypes")
        return dict(replay=self.args.replay, namespaces=not self.args.plain, user=self.args.user,
                    modules=modules)

    def open_share(self):
        """A server-wide sandbox, and a stranger's session in it that holds the secret."""
        options = self.options()
        self.share = client.Share(self.args.program, namespaces=options["namespaces"],
                                  modules=options["modules"], user=options["user"])
        self.stranger = client.Sandbox(self.args.program, share=self.share, **options)
        code = "import sys\nsys.secret = secret = %r" % SECRET
        self.secret = code if options["replay"] else self.stranger.run(code)[0]
        if options["replay"]:
            self.stranger.run("1")

    def check_stranger(self):
        """Its state is its own: there still, and nowhere else."""
        ask = "print(secret, sys.secret)"
        if self.args.replay:
            _, result = self.stranger.run([self.secret, ask])
        else:
            _, result = self.stranger.run(ask, base=self.secret)
        said = result.output.decode().split()
        self.report("a stranger's state", [] if said == [SECRET] * 2 else ["said %r" % said], result)
        _, result = self.open().run("import sys\nprint([hasattr(sys, 'secret'), 'secret' in globals()])")
        self.report("and not ours", [] if result.output == b"[False, False]\n" else ["it is"], result)

    def open(self):
        if self.sandbox is None:
            self.sandbox = client.Sandbox(self.args.program, share=self.share, **self.options())
            if self.stranger:
                self.sandbox.others.add(self.stranger.top())
            self.restarts += 1
        return self.sandbox

    def steps(self, codes, template, **options):
        """Run steps on top of each other; the last one's result, and its parent's node."""
        box = self.open()
        if self.args.replay:
            node, result = box.run(list(codes), template=template, **options)
            return result, codes[:-1]
        parent = None
        for code in codes[:-1]:
            parent, result = box.run(code, base=parent, template=template)
            if result.status != "ok":
                return result, parent
        return box.run(codes[-1], base=parent, template=template, **options)[1], parent

    def sibling(self, parent, code, template):
        box = self.open()
        if self.args.replay:
            return box.run(list(parent) + [code], template=template)[1]
        return box.run(code, base=parent, template=template)[1]

    def report(self, name, problems, result):
        self.count += 1
        if problems:
            self.failed.append(name)
            for problem in problems:
                print("# %s: %s" % (name, problem))
            print("# %r" % result)
        elif self.args.verbose:
            print("# %s: %r" % (name, result))
        print("%s %d - %s" % ("not ok" if problems else "ok", self.count, name), flush=True)

    def attack(self, case):
        box = self.open()
        supervisor = box.top()
        if case.get("code_repeat"):
            code = case["code_repeat"][0] * case["code_repeat"][1]
        elif case.get("code_hex"):
            code = bytes.fromhex(case["code_hex"])
        else:
            code = self.around.fill(case["code"], supervisor)
        must, problems = case["must"], []
        text = code if isinstance(code, str) else ""
        template = client.SYMPY if "sympy" in text else client.SMALL
        if template not in box.ready:
            self.steps(["1"], template)
        started = time.monotonic()
        try:
            result, parent = self.steps([PARENT, code], template, wall=case["timeout_ms"],
                                        cpu=case["timeout_ms"])
        except (client.Died, TimeoutError, BrokenPipeError) as error:
            self.sandbox.kill()
            self.sandbox = None
            self.report(case["id"], ["supervisor_dead: %s" % error], None)
            return
        seconds = time.monotonic() - started
        shown = result.text()
        passed_by = case.get("needs") == "ctypes" and not self.args.ctypes and \
            result.error == b"ModuleNotFoundError"
        if not passed_by:
            if result.status not in must["status"]:
                problems.append("status %s" % result.status)
            if must.get("match") and not re.search(must["match"], shown):
                problems.append("nothing matches %s" % must["match"])
        if must.get("not_match") and re.search(must["not_match"], shown):
            problems.append("matches %s" % must["not_match"])
        if seconds > must.get("max_seconds", 10):
            problems.append("took %.1f s" % seconds)
        if SECRET in shown:
            problems.append("secret_read")
        if result.status == "timeout" and result.elapsed_us / 1000 > case["timeout_ms"] + \
                self.args.grace:
            problems.append("stopped %.0f ms late" % (result.elapsed_us / 1000 - case["timeout_ms"]))
        problems += self.around.damage()
        then = case.get("then") or {"code": "print(base, data)", "expect": "41 [1, 2]"}
        try:
            after = self.sibling(parent, then["code"], template)
            said = (after.output or after.value).decode("utf-8", "replace").strip()
            if said != then["expect"]:
                problems.append("sibling said %r (%r)" % (said, after))
            stats = box.get_stats()
            if not self.args.replay and isinstance(parent, int):
                box.release(parent)
            problems += self.left_over(stats)
        except (client.Died, TimeoutError, KeyError, BrokenPipeError) as error:
            problems.append("afterwards: %s" % error)
            self.sandbox = None
        self.report(case["id"], problems, result)

    def left_over(self, stats):
        """Processes under the supervisor beyond broker, templates and snapshots."""
        until = time.monotonic() + 1.0
        while True:
            alive = len(descendants(self.sandbox.top()))
            allowed = (1 if self.share else 3) + stats["snapshots"]
            if alive <= allowed:
                return []
            if time.monotonic() > until:
                return ["process_left: %d where %d are due" % (alive, allowed)]
            time.sleep(0.02)
            stats = self.sandbox.get_stats()

    def benign(self, case):
        codes = case["steps"]
        everything = "\n".join(codes)
        template = client.SYMPY if re.search("sympy|mpmath", everything) else client.SMALL
        result, problems = None, []
        try:
            result, _ = self.steps(codes, template, wall=20000, cpu=20000)
            if case["compare"].startswith("error:"):
                if result.status != "error" or result.error.decode() != case["compare"][6:]:
                    problems.append("expected %s" % case["compare"])
            else:
                said = (result.output or result.value).decode("utf-8", "replace").rstrip("\n")
                if result.status != "ok" or said != case["expected"].rstrip("\n"):
                    problems.append("said %r, expected %r" % (said, case["expected"]))
        except (client.Died, TimeoutError, BrokenPipeError) as error:
            problems.append(str(error))
            self.sandbox = None
        self.report(case["id"], problems, result)

    def close(self):
        if self.stranger:
            self.check_stranger()
        if self.sandbox:
            pids = descendants(self.sandbox.top()) | {self.sandbox.top()}
            code = self.sandbox.close()
            left, until = pids, time.monotonic() + 3
            while left and time.monotonic() < until:
                time.sleep(0.1)
                left = [p for p in pids if os.path.exists("/proc/%d" % p)]
            self.report("the end", ["%d processes left" % len(left)] * bool(left) +
                        ["exit code %d" % code] * bool(code), None)
        if self.share:
            self.share.close()
        self.around.close()


def load(folder, name, only):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        cases = [json.loads(line) for line in f if line.strip()]
    return [c for c in cases if not only or c["id"] in only]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=os.path.join(HERE, "../../src/sandbox/rstar-sandbox"))
    parser.add_argument("--folder", default=HERE)
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--plain", action="store_true", help="without namespaces")
    parser.add_argument("--ctypes", action="store_true", help="with ctypes preloaded")
    parser.add_argument("--shared", action="store_true", help="in a session of a server-wide sandbox")
    parser.add_argument("--user", help="run the program as this user (needs root)")
    parser.add_argument("--only", default="")
    parser.add_argument("--grace", type=float, default=250, help="ms a time-out may be late")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    args.program = os.path.abspath(args.program)
    if args.user:
        pwd.getpwnam(args.user)
    only = set(filter(None, args.only.split(",")))
    runner = Runner(args)
    for case in load(args.folder, "attacks.jsonl", only):
        runner.attack(case)
    for case in load(args.folder, "benign.jsonl", only):
        runner.benign(case)
    runner.close()
    print("1..%d" % runner.count)
    if runner.failed:
        print("# failed: %s" % ", ".join(runner.failed))
    print("# %d cases, %d brokers" % (runner.count, runner.restarts))
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main())
