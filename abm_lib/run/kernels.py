"""Where notebooks' kernels come from when papermill's engine is `abm-fork`: the fork server of this process or of its runner."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from . import forkserver

ADDRESS = "ABM_FORK_SERVER"
ENGINE = "abm-fork"  # papermill's engine and jupyter_client's provisioner, as the package's entry points name them


class ForkProvisioner(LocalProvisioner):
    """Starts an ipykernel by a fork; any other kernel, and all where there is no forking, as jupyter_client does."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        ours = cmd[1:3] == ["-m", "ipykernel_launcher"]
        try:
            address = server() if ours else ""
            env = {name: value for name, value in kwargs["env"].items() if name != ADDRESS}
            child = forkserver.start(address, "abm_lib.run.forkserver:kernel", cmd[3:], env=env, cwd=kwargs.get("cwd"))
        except forkserver.NoFork as error:
            if ours:
                print(f"a kernel of its own for each notebook: {error}", file=sys.stderr)  # noqa: T201
            return await super().launch_kernel(cmd, **kwargs)
        # The server passes signals on to the whole group, so jupyter_client must not look for one.
        self.process: Any = child
        self.pid, self.pgid, self.cwd = child.pid, None, kwargs.get("cwd")
        return self.connection_info


def server() -> str:
    """The address of the fork server: the runner's where it named one, else this process's own, started when first asked for."""
    return os.environ.get(ADDRESS) or _own()


@contextmanager
def forking(said: Callable[[str], None]) -> Iterator[str]:
    """The address of a fork server while the block lasts; empty, and one line said, where notebooks must do without."""
    try:
        if ENGINE not in entry_points(group="jupyter_client.kernel_provisioners").names:
            raise forkserver.NoFork("the installation is older than the code; install abm_lib again")
        started = forkserver.Server()
    except forkserver.NoFork as error:
        said(f"each notebook imports its own libraries: {error}")
        yield ""
        return
    with started:
        yield started.address


@cache
def _own() -> str:
    own = forkserver.Server()
    atexit.register(own.close)
    return own.address
