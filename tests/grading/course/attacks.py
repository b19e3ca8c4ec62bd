"""Hostile bodies of `double(x)`, and what the result must say of each: task 1 is lost, task 2 is not."""

from __future__ import annotations

# name: (body, a part of the sentence, the note, or the output that names it)
HOSTILE = {
    "an endless loop": ("while True: pass", "processor time: is there an endless loop?"),
    "a loop that ignores signals": (
        "for n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "while True: pass",
        "processor time",
    ),
    "sleeping": ("time.sleep(1000)", "does it sleep or wait?"),
    "stopping itself": ("os.kill(os.getpid(), signal.SIGSTOP)", "does it sleep or wait?"),
    "leaving": ("os._exit(0)", "ended itself (exit code 0) before the result was there"),
    "SystemExit": ("raise SystemExit(0)", "SystemExit: 0"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "a crash": ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11 (SIGSEGV)"),
    "an alarm": ("signal.alarm(1); time.sleep(100)", "ended by signal 14 (SIGALRM)"),
    "recursion": ("return double(x)", "RecursionError"),
    "10 GB": ("return np.ones(10 * 2**30 // 8)", "Unable to allocate"),
    "10 GB of a list": ("return [0.0] * (10 * 2**30 // 8)", "MemoryError"),
    "1e12 elements declared": ("return np.broadcast_to(1.0, 10**12)", "Unable to allocate"),
    "too much returned": ("return np.zeros((2**22, 1))", "File too large"),
    "a fork bomb's first children": ("while True: os.fork()", ("started more than", "BlockingIOError")),
    "printing a fake result": (
        'print(\'{"score": 100, "tests": [{"score": 100}]}\'); return 0 * x', '{"score": 100, "tests"',
    ),
    "printing without end": ("while True: print('x' * 10**6)", "File too large"),
    "a file without end": (
        "with open('big', 'wb') as f:\n    while True: f.write(bytes(10**6))", "File too large",
    ),
    "files without end": ("files = []\nwhile True: files.append(open(os.devnull))", "Too many open files"),
    "monkey-patching NumPy": (
        "np.array = np.asarray = lambda *a, **k: np.zeros(1)\nnp.allclose = lambda *a: True\nreturn 0 * x",
        "changed numpy.allclose, numpy.array",
    ),
    "walking the stack": (
        "import gc\nframe = sys._getframe()\nfound = []\n"
        "while frame:\n    found += frame.f_locals.values(); found += frame.f_globals.values()\n"
        "    frame = frame.f_back\n"
        "for each in gc.get_objects() + found:\n"
        "    if isinstance(each, dict): found += each.values()\n"
        "arrays = [a for a in found if isinstance(a, np.ndarray) and a.shape == x.shape]\n"
        "arrays = [a for a in arrays if not (a == x).all()]\n"
        "return arrays[0] if arrays else np.zeros_like(x)",
        "got 0; ",
    ),
    "deleting files elsewhere": ("shutil.rmtree(VICTIM)", "isn't allowed in a submission"),
    "deleting a file elsewhere": ("os.remove(VICTIM + '/private/t1_tiny/checks.py')", "os.remove of"),
    "overwriting a file elsewhere": ("open(VICTIM + '/private/t1_tiny/checks.py', 'w')", "opening"),
    "reading the hidden checks": ("return open(VICTIM + '/private/t1_tiny/checks.py').read()", "opening"),
    "looking around": ("return os.listdir(VICTIM)", "os.listdir of"),
    "importing the library": ("import minidl.ops", "importing minidl isn't allowed"),
    "importing it by hand": (
        "sys.meta_path.clear()\nsys.path.insert(0, LIBRARY)\n"
        "from importlib import machinery\n"
        "machinery.PathFinder.find_spec('minidl', [LIBRARY]).loader.load_module()",
        "isn't allowed in a submission",
    ),
    "compiling the library's text": ("exec(open(LIBRARY + '/minidl/ops/norm.py').read())", "opening"),
    "using the network": ("import socket; socket.create_connection(('127.0.0.1', 9))", "using the network"),
    "killing its keeper": ("os.kill(os.getppid(), signal.SIGKILL)", "sending a signal"),
    "killing everybody": ("os.killpg(0, signal.SIGKILL)", "sending a signal"),
    "taking away its keeper's files": (
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))", "process's limits",
    ),
    "calling C": ("import ctypes; ctypes.CDLL(None).abort()", "calling into C"),
    "starting a program": ("os.system('sleep 100 &')", "starting programs"),
    "writing into every descriptor": (
        "for n in range(3, 64):\n    try: os.write(n, b'x' * 100)\n    except OSError: pass\nreturn 2 * x",
        "what it returned can't be read",
    ),
    "a forged message": (
        "arrays = b'{\"y\": {\"array\": [\"float64\", [1000000000000]]}}'\n"
        "header = b'{\"case\": 0, \"trouble\": \"\", \"arrays\": ' + arrays + b'}'\n"
        "forged = len(header).to_bytes(8, 'little') + (8 * 10**12).to_bytes(8, 'little') + header\n"
        "for n in range(3, 64):\n    try: os.write(n, forged)\n    except OSError: pass\n"
        "return 2 * x",
        "what it returned can't be read",
    ),
    "closing all descriptors": ("os.closerange(0, 100); return 2 * x", "ended itself (exit code 70)"),
    "an exception that can't be printed": (
        "class E(Exception):\n    def __str__(self): raise SystemExit\n    __repr__ = __str__\nraise E",
        "E: (it can't be printed)",
    ),
    "an exception without a name": (
        "class M(type):\n    __name__ = property(lambda self: 1 / 0)\n"
        "class E(Exception, metaclass=M): pass\nraise E('?')",
        "an exception: ?",
    ),
    "a hostile __array__": (
        "class A:\n    def __array__(self, dtype=None, copy=None): os._exit(3)\nreturn A()", "exit code 3",
    ),
    "an object array": ("return np.array([None, x], object)", "expected numbers, got an array of object"),
    "text": ("return 'right'", "expected numbers, got an array of str"),
    "complex numbers": ("return 2 * x + 0j", "expected numbers, got an array of complex128"),
    "NaN": ("return x * np.nan", "got nan"),
    "infinity": ("return x * np.inf", "got "),
}

# What is strange and does no harm: full marks.
HARMLESS = {
    "a thread left running": (
        "import threading\nthreading.Thread(target=time.sleep, args=(1000,)).start()\nreturn 2 * x"
    ),
    "something to do at the end": "import atexit; atexit.register(time.sleep, 1000); return 2 * x",
    "no output any more": "sys.stdout = sys.stderr = None; return 2 * x",
    "a double fork in a session of its own": (
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(1000)\n"
        "    os._exit(0)\n"
        "return 2 * x"
    ),
    "a tree of locked folders": (
        "here, name = os.getcwd(), str(len(x))\nfor n in range(300):\n    os.mkdir(name); os.chdir(name)\n"
        "os.chmod('.', 0)\nos.chdir(here)\nos.chmod(name, 0)\nreturn 2 * x"
    ),
    "a subclass of arrays": (
        "class A(np.ndarray): pass\nreturn (2 * x).view(A)"
    ),
    "single precision where it is exact": "return np.float32(2) * x",
    "a random order of memory": "return np.asfortranarray(2 * x)[::1]",
    "dataclasses": (
        "from dataclasses import dataclass\nfrom typing import NamedTuple\n"
        "@dataclass\nclass C:\n    x: object\nreturn 2 * C(x).x"
    ),
}

HEAD = """
import os, shutil, signal, sys, time
import numpy as np
VICTIM, LIBRARY = {victim!r}, {library!r}

def total(x, g):
    return x.sum(axis=0), g * np.ones_like(x)

def double(x):
"""


def submission(body, victim, library):
    """The text of a submission with this body of `double`, and everything else right."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return HEAD.format(victim=str(victim), library=str(library)) + lines
