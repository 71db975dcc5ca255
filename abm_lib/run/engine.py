"""papermill's engine `abm-fork`: its own engine, with kernels that are forked. papermill loads this module by its entry point.

Not to be imported before papermill, which asks for the class while it is being imported itself.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from papermill.engines import NBClientEngine
from traitlets.config import Config

from .kernels import ENGINE


class ForkEngine(NBClientEngine):  # type: ignore[misc]
    """Runs a notebook as papermill does; only where its kernel comes from is another."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> Any:
        factory = KernelProvisionerFactory.instance()
        before = factory.default_provisioner_name
        factory.default_provisioner_name = ENGINE
        with TemporaryDirectory(prefix="abm-") as folder:
            # Files of a private folder, not ports: nobody else can listen, and no network is needed.
            line = Config(KernelManager={"transport": "ipc", "connection_file": f"{folder}/kernel.json"})
            try:
                # Nothing in a kernel is worth a farewell: its outputs are here.
                settings |= {"config": line, "shutdown_kernel": "immediate"}
                return super().execute_managed_notebook(nb_man, kernel_name, **settings)
            finally:
                factory.default_provisioner_name = before
