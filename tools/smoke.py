"""Import every direct dependency of the installed project and start `abm`: a quick proof that a lock fits a Python."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Exit 1 where a dependency of the report has no module, or `abm --help` fails; a failing import shows itself."""
    needed = {plain(re.split(r"[^\w.-]", line)[0]) for line in requires("abm_lib") or [] if "extra ==" not in line}
    found = {(plain(owner), module) for module, owners in packages_distributions().items() for owner in owners}
    # Some bring a second package for others to use (duckdb: its ADBC driver), which may need what is not here.
    modules = sorted((owner, module) for owner, module in found if owner in needed and owner.startswith(plain(module)))
    for _, module in modules:
        importlib.import_module(module)
    if lacking := needed - {owner for owner, _ in modules}:
        sys.exit(f"no module of {', '.join(sorted(lacking))}")
    subprocess.run([Path(sys.prefix, "bin", "abm"), "--help"], check=True, stdout=subprocess.DEVNULL)
    print(f"Python {sys.version.split()[0]}: {len(needed)} direct dependencies import, abm starts")


if __name__ == "__main__":
    main()
