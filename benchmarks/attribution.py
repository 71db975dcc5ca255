"""Attribution against the packages that do something like it, on their own input, and against the cost of sorting alone.

python benchmarks/attribution.py [--quick]

Each side is a process of its own with the same Parquet file of paths; reading it is not counted, splitting and encoding the paths
is. Of the raw touches everything is counted, reading their file and the names of their channels too. Peers are installed into an
environment of their own beside the temporary files; one that will not install, or that fails, is named with its error and misses
its bar. CPU seconds, the lowest of three runs: other work on the same cores would decide a race of clocks.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import measure
import numpy as np
import pandas as pd
from measure import PATIENCE, PROJECT, Figure

PEERS = {
    "ChannelAttribution": ["ChannelAttribution==2.2.5", "matplotlib", "pyarrow"],
    "marketing-attribution-models": ["marketing-attribution-models==2.1.1", "pyarrow"],
}
SHORT = {"ChannelAttribution": "ChannelAttribution", "marketing-attribution-models": "MAM"}
# Times as fast that we must be: Markov alone, and all models together.
BARS = {"ChannelAttribution": (7, 4), "marketing-attribution-models": (13, 8)}
CHANNELS = [f"channel{n:02}" for n in range(12)]
FOLDER = Path(tempfile.gettempdir()) / "abm-benchmarks-attribution"
MEMORY = 20 * 2**30  # bytes that a peer may take
SORTED, LARGEST = 3.5, 3.5  # times the sort, and gigabytes at ten million journeys

OURS = """
import json, sys, time
import numpy as np, polars as pl
from abm_lib.attribution import MODELS, Journeys
table = pl.read_parquet(sys.argv[1])
def encoded():
    lists = table["path"].str.split(" > ")
    ends, flat = lists.list.len().to_numpy().cumsum(dtype=np.int64), lists.explode()
    names = flat.unique().sort().to_list()
    codes, won = flat.cast(pl.Enum(names)).to_physical().to_numpy(), table["converted"].to_numpy().astype(float)
    return Journeys(tuple(names), codes, ends, won, 1 - won, won)
def markov():
    encoded().chain().removal_effects()
def together():
    journeys = encoded()
    journeys.credit([MODELS[name] for name in sys.argv[3].split(",")])
"""
THEIRS = {
    "ChannelAttribution": """
import contextlib, io, json, sys, time
import pandas as pd
with contextlib.redirect_stdout(io.StringIO()):
    import ChannelAttribution as peer
table = pd.read_parquet(sys.argv[1])
table["lost"] = 1 - table["converted"]
table["value"] = table["converted"].astype(float)
def markov():
    peer.markov_model(table, "path", "converted", var_value="value", var_null="lost", verbose=False)
def together():
    peer.heuristic_models(table, "path", "converted", var_value="value")
    markov()
""",
    "marketing-attribution-models": """
import contextlib, io, json, sys, time
import polars as pl
from mam import MAM
table = pl.read_parquet(sys.argv[1]).with_row_index("user").with_columns(pl.col("converted").cast(pl.Boolean))
table = table.with_columns(hours=pl.col("path").str.replace_all("channel[0-9]+", "1"))  # it asks for times, whatever the model
def begun():
    return MAM(table, "journey", "path", "converted", user_id_colname="user", time_till_conv_colname="hours", path_separator=" > ")
def markov():
    begun().run_markov()
def together():
    mam = begun()
    mam.run_first_click(); mam.run_last_click(); mam.run_linear(); mam.run_position_based(); mam.run_markov()
""",
}
# What each peer has that we are held against in "all together": no more than it computes itself.
MODELS_OF = {
    "ChannelAttribution": "first,last,linear,markov",
    "marketing-attribution-models": "first,last,linear,u_first_last,markov",
}
TIMED = """
took = []
with contextlib.redirect_stdout(io.StringIO()):
    for _ in range(3):
        begun_at = time.process_time(); (markov if sys.argv[2] == "markov" else together)()
        took.append(time.process_time() - begun_at)
print(json.dumps(min(took)))
"""
FLOOR = """
import json, sys, time
import numpy as np, polars as pl, pyarrow.parquet as parquet
from abm_lib.attribution import MODELS, Journeys
won = np.arange(int(sys.argv[2])) % 4 == 0
def encoded():
    touches = pl.read_parquet(sys.argv[1], columns=["journey", "at"])
    names = parquet.read_table(sys.argv[1], columns=["channel"], read_dictionary=["channel"])["channel"]
    names = names.unify_dictionaries().combine_chunks()
    return touches["journey"].to_numpy(), touches["at"].to_numpy(), names.indices.to_numpy(), names.dictionary.to_pylist()
floors, wholes = [], []
for _ in range(2):
    journey, at, channel, names = encoded()
    begun = time.process_time()
    packed = journey.astype(np.int64)
    packed <<= 28; packed += at.astype(np.int64) << 4; packed += channel
    packed.sort()
    floors.append(time.process_time() - begun)
    del packed, journey, at, channel
    begun = time.process_time()
    journey, at, channel, names = encoded()
    journeys = Journeys.from_touches(journey, at, channel, names, converted=won)
    del journey, at, channel
    journeys.credit([MODELS[name] for name in ("first", "last", "linear", "u_first_last", "time_decay", "shapley", "markov")])
    wholes.append(time.process_time() - begun)
    del journeys
print(json.dumps([min(floors), min(wholes)]))
"""


def main(arguments: list[str]) -> list[Figure]:
    quick = "--quick" in arguments
    FOLDER.mkdir(exist_ok=True)
    many = 2_000 if quick else 1_000_000
    paths = FOLDER / f"paths-{many}.parquet"
    if not paths.exists():
        write_paths(paths, many)
    ours = {("markov", ""): timed(sys.executable, OURS, paths, "markov")}
    figures = [Figure(f"Markov of {many:,} journeys", ours["markov", ""], "CPU s")]
    for name in () if quick else PEERS:
        ours["all", name] = timed(sys.executable, OURS, paths, "all", MODELS_OF[name])
        figures += against(name, ours, paths)
    return figures + sorting(10_000 if quick else 10_000_000)


def against(name: str, ours: dict[tuple[str, str], float], paths: Path) -> list[Figure]:
    """How many times our time a peer takes, Markov and all it has; with its error where it does not run."""
    try:
        python = measure.installed(name, PEERS[name])
        found = []
        for what, bar, own in zip(("markov", "all"), BARS[name], (ours["markov", ""], ours["all", name]), strict=True):
            theirs = timed(python, THEIRS[name], paths, what)
            label = (
                f"{'Markov' if what == 'markov' else 'all its models'}: our share of {SHORT[name]}'s {theirs:.2f} CPU s"
            )
            found.append(Figure(label, own / theirs, "of it", 1 / bar))
        return found
    except (subprocess.SubprocessError, OSError) as error:
        why = measure.told(error)
        return [Figure(f"{SHORT[name]} could not be compared: {why}", float("nan"), "of it", 1 / BARS[name][0])]


def sorting(journeys: int) -> list[Figure]:
    """Everything from raw shuffled touches, as times the sort of their packed keys alone; and the peak."""
    touches = FOLDER / f"touches-by-name-{journeys}.parquet"
    if not touches.exists():
        write_touches(touches, journeys)
    code = FOLDER / "floor.py"
    code.write_text(FLOOR, encoding="utf-8")
    said = FOLDER / "floor.json"
    shell = f'"{sys.executable}" "{code}" "{touches}" {journeys} > "{said}"'
    cost = measure.run("/bin/sh", "-c", shell)
    floor, everything = json.loads(said.read_text(encoding="utf-8"))
    target = None if journeys < 10**6 else SORTED
    return [
        Figure(f"sorting the packed keys of {4 * journeys:,} touches", floor, "CPU s"),
        Figure("everything from these touches, as times that sort", everything / floor, "x", target),
        Figure("peak of that process", cost.peak / 1000, "GB", LARGEST),
    ]


def timed(python: str, code: str, paths: Path, *arguments: str) -> float:
    """CPU seconds that the code prints, run in a process that may not grow for ever. Raises SubprocessError."""
    text = ("import contextlib, io\n" + code + TIMED).strip()
    command = [python, "-c", text, str(paths), *arguments]
    done = subprocess.run(command, env=measure.environment() if python == sys.executable else None, cwd=PROJECT if python == sys.executable
                          else FOLDER, capture_output=True, text=True, check=True, timeout=PATIENCE, preexec_fn=limit)  # fmt: skip
    return float(done.stdout.strip().splitlines()[-1])


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def write_paths(path: Path, many: int) -> None:
    """Journeys of four touches in the mean over twelve channels, a quarter of them converting."""
    random = np.random.default_rng(7)
    lengths = random.geometric(0.25, many)
    names = np.array(CHANNELS)[random.choice(12, lengths.sum(), p=random.dirichlet(np.full(12, 3.0)))]
    told = [" > ".join(each) for each in np.split(names, np.cumsum(lengths)[:-1])]
    pd.DataFrame({"path": told, "converted": (random.random(many) < 0.25).astype(int)}).to_parquet(path)


def write_touches(path: Path, journeys: int) -> None:
    """Four shuffled touches for each journey in the mean, at whole minutes of two years."""
    random = np.random.default_rng(8)
    many = 4 * journeys
    pd.DataFrame(
        {
            "journey": random.integers(0, journeys, many, dtype=np.int32),
            "at": random.integers(0, 1 << 20, many, dtype=np.int32),
            "channel": pd.Categorical.from_codes(random.integers(0, 12, many, dtype=np.int8), CHANNELS).astype(str),
        }
    ).to_parquet(path)


if __name__ == "__main__":
    print(measure.table(main(sys.argv[1:])))
