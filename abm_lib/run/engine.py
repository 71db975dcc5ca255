"""papermill's engine `abm-fork`: its own engine, with kernels that are forked. papermill loads this module by its entry point.

Not to be imported before papermill, which asks for the class while it is being imported itself.
"""

from __future__ import annotations

import ast
from tempfile import TemporaryDirectory
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from papermill.engines import NBClientEngine
from traitlets.config import Config

from ..errors import Fault, UsageError, nearest
from .kernels import ENGINE


class ForkEngine(NBClientEngine):  # type: ignore[misc]
    """Runs a notebook as papermill does, but for where its kernel comes from and a parameter that it does not know.

    Raises UsageError for that one: papermill warns of it and computes something else than was asked.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> Any:
        if unknown := _assigned(nb_man.nb, "injected-parameters") - (known := _assigned(nb_man.nb, "parameters")):
            raise UsageError(Fault("C02", "unknown-parameter", "papermill", name, nearest(name, known) if known else
                "no parameters cell", "correct the name") for name in sorted(unknown))  # fmt: skip
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


def _assigned(notebook: Any, tag: str) -> set[str]:
    """The names to which the cells with that tag give values."""
    cells = [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]
    nodes = [node for cell in cells for node in ast.parse(cell.source).body]
    targets = [target for node in nodes if isinstance(node, ast.Assign) for target in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}
