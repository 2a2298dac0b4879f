"""What a template does in Python before it is confined.

load() imports the allowed modules and reads what they may import later; settle()
leaves the collector in a state that children need not touch. After confinement no
import reads a file: SymPy and the standard library import parts of themselves
inside functions, and a step may name any module, so the compiled code of every
module that was not imported is kept in memory (Store) and run in the node that
asks for it. Importing all of it here instead would take four times as long.

The file is compiled into the program (sandbox.mk); it does not run by itself.
"""
import builtins
import gc
import importlib
import marshal
import os
import sys
import warnings
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import MAGIC_NUMBER

# Modules that would start a thread, open a device or reach a network, and
# packages that SymPy would use if they were there.
HIDDEN = {
    "numpy", "scipy", "ctypes", "socket", "multiprocessing", "matplotlib", "gmpy2", "IPython",
    "pyglet", "antlr4", "lark", "llvmlite", "numexpr", "tensorflow", "torch", "cupy", "theano",
    "aesara", "symengine", "flint", "pycosat", "sage", "threadpoolctl", "asyncio", "concurrent",
    "this", "_pytest", "pytest", "py", "_hashlib", "ssl",
}

# Folders and files whose modules are of no use to a step: tests, tools of the
# distribution, terminals, windows, networks, data bases.
USELESS = {
    "__pycache__", "test", "tests", "benchmarks", "benchmarking", "pygletplot", "testing", "rubi",
    "_antlr", "autolev", "conftest", "idlelib", "lib2to3", "tkinter", "turtledemo", "turtle",
    "ensurepip", "venv", "distutils", "pydoc_data", "pydoc", "site-packages", "dist-packages",
    "lib-dynload", "asyncio", "concurrent", "multiprocessing", "ctypes", "curses", "dbm", "email",
    "http", "sqlite3", "wsgiref", "xmlrpc", "xml", "tomllib", "encodings", "antigravity", "this",
    "webbrowser", "site", "sitecustomize", "smtplib", "ftplib", "telnetlib", "nntplib", "poplib",
    "imaplib", "socketserver", "mailbox", "cgi", "cgitb", "pdb", "doctest", "pickletools",
    "tarfile", "zipfile", "pty", "tty", "ssl", "socket", "subprocess", "smtpd", "asyncore",
    "asynchat", "_pydecimal", "_pyio", "_osx_support", "profile", "compileall", "modulefinder",
}


class Store:
    """Finds and loads modules whose code is kept in memory."""

    def __init__(self):
        self.kept = {}

    def find_spec(self, name, path=None, target=None):
        if name not in self.kept:
            return None
        folder, file, _ = self.kept[name]
        spec = ModuleSpec(name, self, origin=file, is_package=folder is not None)
        if folder is not None:
            spec.submodule_search_locations.append(folder)
        spec.has_location = True
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name):
        _, file, code = self.kept[name]
        if code.startswith(MAGIC_NUMBER):
            return marshal.loads(memoryview(code)[16:])
        return compile(code, file, "exec", dont_inherit=True)

    def collect(self, folder, prefix):
        """Keep what lies in a folder and has not been imported."""
        if not os.path.isdir(folder):
            return
        cached = folder + "/__pycache__"
        names = set(os.listdir(cached)) if os.path.isdir(cached) else ()
        for entry in os.scandir(folder):
            stem = entry.name.removesuffix(".py")
            if stem in USELESS or stem.split(".")[0] in HIDDEN or not stem.isidentifier() or \
                    stem.endswith("_doc"):
                continue
            if stem != entry.name:
                self.keep(prefix, stem, entry, folder, cached, names)
            elif os.path.exists(entry.path + "/__init__.py"):
                self.collect(entry.path, prefix + stem + ".")

    def keep(self, prefix, stem, entry, folder, cached, names):
        package = stem == "__init__"
        name = prefix[:-1] if package else prefix + stem
        compiled = "%s.%s.pyc" % (stem, sys.implementation.cache_tag)
        code = b""
        if name in sys.modules or not name:
            return
        if compiled in names:
            code = read(cached + "/" + compiled)
            if not is_current(code, entry.stat()):
                code = b""
        self.kept[name] = (folder if package else None, entry.path, code or read(entry.path))


def read(file):
    with open(file, "rb", buffering=0) as stream:
        return stream.readall()


def is_current(code, status):
    """Was this code compiled from the source as it is now (PEP 552)?"""
    return code[:4] == MAGIC_NUMBER and (
        code[4:8] != bytes(4) or
        code[8:16] == (int(status.st_mtime) & 0xffffffff).to_bytes(4, "little") +
        (status.st_size & 0xffffffff).to_bytes(4, "little"))


def pretend_ctypes():
    """SymPy from 1.13 asks ctypes for the size of a long; it gets it without."""
    import struct
    import types
    module = types.ModuleType("ctypes")
    module.c_long = "l"
    module.sizeof = struct.calcsize
    sys.modules["ctypes"] = module


def is_sympy(name):
    return name.split(".")[0] in ("sympy", "mpmath")


def load_sympy(names):
    alone = sys.modules.get("ctypes") is None
    if alone:
        pretend_ctypes()
    for name in names:
        importlib.import_module(name)
    if alone:
        sys.modules["ctypes"] = None


def load(names, with_sympy):
    """Import `names` (those of SymPy only if asked), keep the rest."""
    gc.disable()
    hidden = HIDDEN - {name.split(".")[0] for name in names}
    for name in hidden:
        sys.modules.setdefault(name, None)
    warnings.simplefilter("ignore")
    for name in ("os", "io", "time", "signal", "traceback", "contextlib", "numbers", "enum"):
        importlib.import_module(name)
    for name in names:
        if not is_sympy(name):
            importlib.import_module(name)
    if with_sympy:
        load_sympy([name for name in names if is_sympy(name)])
    warnings.resetwarnings()
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning,
                     ResourceWarning):
        warnings.simplefilter("ignore", category)
    keep(names, with_sympy)
    for name in hidden:
        if sys.modules.get(name, 0) is None:
            del sys.modules[name]


def keep(names, with_sympy):
    """From here on modules come from memory only."""
    store = Store()
    # The first folder is the standard library's.
    store.collect(sys.path[0], "")
    for name in {name.split(".")[0] for name in names}:
        package = sys.modules.get(name)
        for folder in getattr(package, "__path__", ()):
            if with_sympy or not is_sympy(name):
                store.collect(folder, name + ".")
    sys.path[:] = []
    sys.path_hooks[:] = []
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not PathFinder] + [store]
    sys.path_importer_cache.clear()


class Quitter:
    """exit and quit, which else come with the module site."""

    def __call__(self, code=None):
        raise SystemExit(code)

    def __repr__(self):
        return "Use exit() to end the step"


def settle():
    builtins.exit = builtins.quit = Quitter()
    # Integers as long as time and memory allow.
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    if "random" in sys.modules:
        sys.modules["random"].seed(0)
    gc.enable()
    gc.set_threshold(20000, 20, 100)
    gc.collect()
    gc.freeze()
