"""Every whole reading of the sample, as published before: a number may only move on purpose.

`make golden` writes the file anew; the difference is read in review and named under "Numbers that moved".
"""

from pathlib import Path

import pandas as pd
import pytest
from tiny import sample_readings

GOLDEN = Path(__file__).parent / "golden" / "2026Q3.csv"
KEY = ["metric", "quarter", "slice_by", "slice"]
SHOWN = [*KEY, "value", "numerator", "denominator", "n", "low", "high", "target", "missing_because", "status"]


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    found = sample_readings(tmp_path_factory)
    whole = (found["slice_by"] == "") | (found["slice_by"] == "movement")
    return found.loc[whole & (found["quarter"] == "2026Q3"), SHOWN].reset_index(drop=True)


def test_no_number_of_the_sample_has_moved(readings: pd.DataFrame, update_golden: bool) -> None:
    if update_golden:
        GOLDEN.parent.mkdir(exist_ok=True)
        readings.to_csv(GOLDEN, index=False, float_format="%.10g", lineterminator="\n")
    text = {"slice": str, "slice_by": str, "missing_because": str}
    golden = pd.read_csv(GOLDEN, dtype=text, keep_default_na=False, na_values={c: [""] for c in SHOWN if c not in text})
    pd.testing.assert_frame_equal(readings, golden, check_dtype=False, check_column_type=False, rtol=1e-8)
