"""One process that has imported everything and forks from there: notebooks' kernels, and the workers that run them.

    with Server() as server:
        child = start(server.address, "module:function", argument)     # a fresh process, its imports already done

The server only imports before it forks, so it has one thread and no engine has begun. Each child is one connection: the
asker sends signals down it and is sent the exit code; when the asker ends, however it ends, the server kills the child.
The server itself ends when the standard input that its starter holds is closed, and Linux kills its children with it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

# What a page and its publisher import; a module that is not installed is left to whoever asks for it.
PRELOADED = (
    "pandas", "altair", "narwhals", "duckdb", "babel.dates", "babel.numbers", "abm_lib.metrics", "abm_lib.pages",
    "ipykernel.kernelapp", "ipykernel.ipkernel", "papermill", "abm_lib.run.render", "vl_convert",
)  # fmt: skip
# OpenBLAS and Arrow's allocator begin a thread when they are imported unless they are told not to.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
PR_SET_PDEATHSIG = 1
ASKED_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NoFork(Exception):
    """There is no forking here, or the server could not do it: whoever asked does without."""


class Child:
    """A process that the server forked: as much of `subprocess.Popen` as jupyter_client asks for.

    `returncode` is negative for a signal, as there; `peak` is the most memory it held in bytes, once it has ended.
    """

    stdin = stdout = stderr = None
    last_peak = 0  # of the child of this process that ended last

    def __init__(self, connection: Connection, pid: int) -> None:
        self.connection, self.pid, self.returncode, self.peak = connection, pid, None, 0

    returncode: int | None

    def poll(self) -> int | None:
        if self.returncode is None and self.connection.poll():
            self.wait()
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            try:
                self.returncode, self.peak = self.connection.recv()
                Child.last_peak = self.peak
            except (EOFError, OSError):
                self.returncode = -signal.SIGKILL  # the server is gone, and with it all that it forked
            self.connection.close()
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(OSError):  # it has ended since
                self.connection.send(number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Server:
    """The server, started; `address` is what `start` is given, in any process. It is importing while this returns."""

    def __init__(self, preloaded: Sequence[str] = PRELOADED) -> None:
        if not hasattr(os, "fork"):
            raise NoFork("this system cannot fork")
        self.folder = Path(tempfile.mkdtemp(prefix="abm-"))  # for its owner alone
        self.address = str(self.folder / "fork")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            listener.listen(64)  # whoever connects while it is importing waits
            command = [sys.executable, "-m", __name__, str(listener.fileno()), str(self.folder), *preloaded]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()], env=os.environ | ONE_THREAD
            )

    def close(self) -> None:
        """End the server and every process that it forked, whatever they are at."""
        with self.process:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start(address: str, target: str, *arguments: Any, env: Mapping[str, str] | None = None, cwd: str | None = None,
          fds: Sequence[int] = ()) -> Child:  # fmt: skip
    """Fork a process that calls `target` ("module:function") with the arguments and the numbers of its copies of `fds`.

    Raises NoFork when the server is not there, or gave up.
    """
    try:
        with socket.socket(socket.AF_UNIX) as asker:
            asker.connect(address)
            socket.send_fds(asker, [b"."], list(fds))
            connection = Connection(asker.detach())
        connection.send((target, arguments, dict(os.environ if env is None else env), cwd or os.getcwd()))  # noqa: PTH109
        return Child(connection, connection.recv())
    except (EOFError, OSError) as error:
        raise NoFork(f"the process that forks is not there ({type(error).__name__})") from None


# The server's side


def serve(listener: socket.socket) -> None:
    """Fork for whoever connects, until the standard input is closed."""
    asked: dict[int, Connection] = {}
    hear, call = socket.socketpair()
    for end in (hear, call):
        end.setblocking(False)
    signal.set_wakeup_fd(call.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Sent to the whole group: its starter decides, and closes the input. Blocked and not ignored: a child that is sent
    # one before it has handlers of its own gets it as soon as it has.
    signal.pthread_sigmask(signal.SIG_BLOCK, ASKED_TO_END)
    while True:
        ready = wait([0, listener, hear, *asked.values()])
        if 0 in ready:
            break
        if hear in ready:
            hear.recv(4096)
            _reap(asked)
        for pid, connection in list(asked.items()):
            if connection in ready:
                _pass_on(pid, asked)
        if listener in ready:
            _accept(listener, asked)
    for pid in asked:
        _signal(pid, signal.SIGKILL)


def _reap(asked: dict[int, Connection]) -> None:
    """Tell whoever asked how its child ended."""
    while asked:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if not pid:
            return
        connection = asked.pop(pid)
        unit = 1 if sys.platform == "darwin" else 1024
        with suppress(OSError):  # it may not have waited for that
            connection.send((os.waitstatus_to_exitcode(status), usage.ru_maxrss * unit))
        connection.close()


def _pass_on(pid: int, asked: dict[int, Connection]) -> None:
    """A signal for a child; where its asker is gone, the last one."""
    try:
        _signal(pid, asked[pid].recv())
    except (EOFError, OSError):
        _signal(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        asked.pop(pid).close()


def _signal(pid: int, number: int) -> None:
    """To the child's whole group; to the child alone before it has one."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        os.kill(pid, number)  # it has not been waited for, so the number is still its own


def _accept(listener: socket.socket, asked: dict[int, Connection]) -> None:
    """Fork for one that has connected."""
    with listener.accept()[0] as asker:
        _, fds, _, _ = socket.recv_fds(asker, 1, 8)
        connection = Connection(asker.detach())
    server = os.getpid()  # before the fork: a child that asked for its parent could be an orphan by then
    try:
        request = connection.recv()
        pid = os.fork()
    except (EOFError, OSError):
        connection.close()
    else:
        if not pid:
            _become(request, server, fds, [listener.fileno(), *(c.fileno() for c in (connection, *asked.values()))])
        asked[pid] = connection
        with suppress(OSError):  # its asker is gone already: the connection says so at the next turn
            connection.send(pid)
    for fd in fds:
        os.close(fd)


def _become(request: tuple[str, tuple[Any, ...], dict[str, str], str], server: int, fds: list[int],
            theirs: list[int]) -> None:  # fmt: skip
    """The child: nothing of the server's but its imports, then the function, and never back."""
    code = 1
    try:
        target, arguments, env, cwd = request
        os.setsid()
        die_with(server)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, *ASKED_TO_END):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKED_TO_END)
        for fd in theirs:
            os.close(fd)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        random.seed()
        import_module("numpy").random.seed()
        module, _, name = target.partition(":")
        function = getattr(import_module(module), name)
        # Not before: what Python raises in a callback of an import is swallowed, and the signal with it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        function(*arguments, *fds)
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1 if left.code else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def die_with(parent: int) -> None:
    """Linux kills this process when its parent ends; elsewhere a kernel looks for its parent, and a worker for its runner."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def kernel(arguments: list[str]) -> None:
    """A notebook's kernel, as `python -m ipykernel_launcher` is."""
    from ipykernel.kernelapp import launch_new_instance

    arguments = [*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"]
    sys.argv = ["ipykernel_launcher", *arguments]
    launch_new_instance(argv=arguments)


def main(listening: int, folder: str, preloaded: Sequence[str]) -> None:
    """Import everything, then serve. Ends at once where something began a thread, which no fork survives whole."""
    try:
        for name in preloaded:
            with suppress(ImportError):
                import_module(name)
        for name in ONE_THREAD:
            os.environ.pop(name, None)
        if sys.path[0] in ("", str(Path.cwd())):
            del sys.path[0]  # put there by `python -m`; a kernel has its own
        tasks = Path("/proc/self/task")
        if tasks.is_dir() and len(list(tasks.iterdir())) > 1:
            sys.exit("abm: a library began a thread while it was imported")
        gc.freeze()
        with socket.socket(fileno=listening) as listener:
            serve(listener)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # what was only imported needs no tearing down


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
