"""A delivered file as a text table: every value as it stands, every line accounted for.

rows + broken + left out = what the file holds below its header.
"""

from __future__ import annotations

import csv
import gzip
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import numpy.typing as npt

from ..errors import Fault, printable
from ..source_settings import Dialect
from ..tables import quoted, quoted_name
from . import books, forms, lines, suspects
from .finding import Found

csv.field_size_limit(2**31 - 1)  # a field that a quote left open may hold the rest of the file
WORDS = {"MISSING COLUMNS": "too few values", "TOO MANY COLUMNS": "too many values", "UNQUOTED VALUE": "a quote inside a value",
         "INVALID ENCODING": "not UTF-8; perhaps Windows-1252", "LINE SIZE OVER MAXIMUM": "more than 2 MB",
         "ERROR CELL": "a cell in which the workbook itself shows an error"}  # fmt: skip
UTF16 = (b"\xff\xfe", b"\xfe\xff")
HEADER_WITHIN = 100  # lines, of which one holds the name that the dialect gives as `header`
PART = 1 << 24  # bytes of a large file that are read at a time, several of them at once
UNCUT = 8_000_000  # bytes that DuckDB reads by one reader whatever its buffer


@dataclass
class File:
    """One delivered file: rows read, lines that are none (line, what is wrong with it, its text), lines left out by a rule.

    `unreadable` are rows of which a map's query could not read a value. `text` is the file as UTF-8, in which lines are counted,
    `skipped` of them above the header, which is long where the names take more lines than one; `totals` are broken lines that
    the dialect calls totals; `last` is the number of the last row, `numbers` are those of a sheet's rows; `parts` are the files of
    a table that came in several; `records` are those of a large text.
    """

    path: Path
    label: str
    dialect: Dialect = field(default_factory=Dialect)
    rows: int = 0
    width: int = 0
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    unreadable: int = 0
    last: int = 0
    faults: list[Fault] = field(default_factory=list)
    text: Path | None = None
    skipped: int = 0
    is_header_long: bool = False
    numbers: list[int] = field(default_factory=list)
    parts: list[File] = field(default_factory=list)
    records: lines.Records | None = None

    @property
    def described(self) -> dict[str, object]:
        size = {"sha256": suspects.sha256_of_input(self.path), "bytes": self.path.stat().st_size, "rows": self.rows}
        return (
            size
            | ({"broken": len(self.broken)} if self.broken else {})
            | ({"totals_left_out": self.left_out} if self.left_out else {})
        )

    @property
    def left_out(self) -> int:
        """Lines and rows that the dialect calls totals."""
        return len(self.totals) + self.last - self.rows

    @property
    def set_aside(self) -> int:
        """Lines that are no rows, and rows that a query could not read."""
        return len(self.broken) + self.unreadable

    @property
    def is_text(self) -> bool:
        return any(part.text for part in self.parts or [self])

    @property
    def is_sound(self) -> bool:
        return all(fault.level != "E" for fault in self.faults)

    def place(self, row: int) -> str:
        """Where a row, counted from 1, stands in the file."""
        for part in self.parts:
            if row <= part.last:
                return part.place(row)
            row -= part.last
        if self.numbers and row <= len(self.numbers):
            return f"{self.label} row {self.numbers[row - 1]}"
        if self.text is None or row > len(self._lines):
            return f"{self.label} row {row}"
        return f"{self.label}:{self._lines[row - 1]}"

    def lines_that_are_no_rows(self) -> Iterator[tuple[str, str]]:
        """Where each broken line stands, and its text."""
        for part in self.parts or [self]:
            yield from ((f"{part.label}:{line}", text) for line, _, text in part.broken)

    @cached_property
    def _lines(self) -> npt.NDArray[np.int64]:
        """The line on which each row read begins; quoted fields may span lines, broken and blank lines are no rows."""
        assert self.text
        no_rows = {*range(1, self.skipped + 2), *self.totals, *(line for line, _, _ in self.broken)}
        begins = self.records_of(self.text).lines
        found = begins[~np.isin(begins, list(no_rows))]
        if len(found) != self.last:  # lines that end in CR alone are none to who counts quotes
            begins = lines.by_fields(self.text, self.dialect.quote, self.dialect.delimiter, self.width == 1).lines
            found = begins[~np.isin(begins, list(no_rows))]
        return found

    def records_of(self, text: Path) -> lines.Records:
        """Where the records of the file's text begin."""
        if self.records is None:
            self.records = lines.of_text(text, self.dialect.quote, self.dialect.delimiter, self.width == 1)
        return self.records


def read_table(
    con: duckdb.DuckDBPyConnection, stem: str, found: Found, company: Path, dialect: Dialect, room: Path
) -> File:
    """Make the table STEM of all files that hold it, their rows numbered through. Files are named against the company folder."""
    labels = [_label(path, company) for path in found.paths]
    if found.query:
        return _read_query(con, stem, found, labels[0], dialect)
    if len(labels) == 1:
        return read_file(con, stem, found.paths[0], labels[0], dialect, room, found.sheet)
    whole = File(found.paths[0], f"{labels[0]} (and {len(labels) - 1} more files)", dialect)
    selects = []
    for number, (path, label) in enumerate(zip(found.paths, labels, strict=True)):
        part = read_file(con, f"{stem}#{number}", path, label, dialect, room, found.sheet)
        selects.append(f'select * replace (_row + {whole.last} as _row) from "{stem}#{number}"')
        whole.parts.append(part)
        whole.rows, whole.last = whole.rows + part.rows, whole.last + part.last
        whole.totals, whole.broken = whole.totals + part.totals, whole.broken + part.broken
        whole.faults, whole.dialect = whole.faults + part.faults, part.dialect
    con.execute(f'create or replace table "{stem}" as {" union all by name ".join(selects)}')
    for number in range(len(labels)):
        con.execute(f'drop table "{stem}#{number}"')
    return whole


def _label(path: Path, company: Path) -> str:
    return (path.relative_to(company) if path.is_relative_to(company) else path).as_posix()


def _read_query(con: duckdb.DuckDBPyConnection, stem: str, found: Found, label: str, dialect: Dialect) -> File:
    """The rows of a query over a database file."""
    path = found.paths[0]
    file = File(path, f"{label}  {stem}", forms.of_typed(dialect))
    try:
        forms.from_sqlite(con, stem, path, found.query) if forms.is_sqlite(path) else forms.from_duckdb(
            con, stem, path, found.query
        )
    except forms.UNREADABLE as error:
        file.faults.append(suspects.fault("C10", "source-query", file.label, printable(str(error).splitlines()[0]),
                                          "a query over the database", "correct the query in abm.toml"))  # fmt: skip
        con.execute(f'create or replace table "{stem}" as select 1::bigint as _row where false')
    file.rows = file.last = con.execute(f'select count(*) from "{stem}"').fetchall()[0][0]
    return file


def read_file(
    con: duckdb.DuckDBPyConnection, stem: str, path: Path, label: str, dialect: Dialect, room: Path, sheet: str = ""
) -> File:
    """Make the table STEM of the file's rows, all columns text with blanks as NULL, and `_row` counting from 1.

    `room` is a folder for the file in UTF-8 where it is not. A file that cannot be read has a fault of level E and makes an
    empty table.
    """
    file, before = File(path, label, dialect), path.stat()
    try:
        if path.suffix in forms.READERS:
            file.dialect = forms.of_typed(dialect)
            forms.READERS[path.suffix](con, stem, path)
        elif path.suffix == books.SUFFIX:
            file.dialect = forms.of_typed(dialect)
            _book(con, stem, file, sheet)
        else:
            _csv(con, stem, file, room)
    except duckdb.Error as error:
        file.faults.append(suspects.unreadable(path, label, error))
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        file.faults.append(suspects.fault("F027", "still-changing", label, "it changed while it was read"))
    if not file.is_sound:
        con.execute(f'create or replace table "{stem}" as select 1::bigint as _row where false')
    file.rows, file.last = con.execute(f'select count(*), greatest(max(_row), {file.last}) from "{stem}"').fetchall()[0]
    file.last = file.last or 0
    return file


def _book(con: duckdb.DuckDBPyConnection, stem: str, file: File, sheet: str) -> None:
    found = books.read(file.path, file.label, sheet, file.dialect.header)
    file.faults += found.faults
    if file.is_sound:
        forms.from_rows(con, stem, found.header, found.rows)
        file.numbers, file.broken = found.numbers, [(n, "ERROR CELL", text) for n, text in found.broken]
        _tell_broken(file, len(found.header))
        _leave_out(con, stem, file, found.header)


def _csv(con: duckdb.DuckDBPyConnection, stem: str, file: File, room: Path) -> None:
    """Read with DuckDB's reader; lines that are no rows are kept aside with their number."""
    file.text = _as_utf8(file, room)
    if file.faults or not file.text:
        return
    file.faults += suspects.no_csv(file.text, file.label)
    if file.faults:
        return
    names = _header(file)
    if not file.faults:
        file.faults += suspects.header_faults(names, f"{file.label}:{file.skipped + 1}")
    if file.faults:
        return
    file.width = len(names)
    with TemporaryDirectory(dir=room) as place:
        parts, records = _cut(file, Path(place))
        if parts:
            _read_texts(con, stem, file, names, parts, "header = false")
        # A quote left open DuckDB tells only of a text that it reads alone.
        if not parts or (len(parts) > 1 and _records_read(con, stem) != records):
            _read_texts(con, stem, file, names, [file.text], f"header = true, skip = {file.skipped}")
    con.execute(f'alter table "{stem}" add column _row BIGINT; update "{stem}" set _row = rowid + 1')
    _keep_broken(con, file)
    _leave_out(con, stem, file, names)


def _cut(file: File, place: Path) -> tuple[list[Path], int]:
    """Copies of the parts of a large text that can be read at once, each named for its first byte; and how many records it has.

    Of a small text there are none; but for one with a long header, whose line ends may be others than those of the rows: DuckDB
    would look for these alone, and find no row.
    """
    assert file.text
    if file.text.stat().st_size <= PART and not file.is_header_long:
        return [], 0
    records = file.records_of(file.text)
    below = 1 + int(np.searchsorted(records.lines, file.skipped + 1))
    cuts = records.cuts(below, PART)
    with file.text.open("rb") as text:
        text.seek(cuts[0] if cuts else 0)
        for first, end in pairwise([*cuts, file.text.stat().st_size]):
            with (place / str(first)).open("wb") as part:
                for done in range(first, end, lines.CHUNK):
                    part.write(text.read(min(lines.CHUNK, end - done)))
    return [place / str(first) for first in cuts], len(records.lines) - below


def _read_texts(
    con: duckdb.DuckDBPyConnection, stem: str, file: File, names: list[str], texts: list[Path], header: str
) -> None:
    """Make the table STEM of texts, one behind the other, each read by one reader from its beginning to its end.

    A large text that does not fit into its buffer DuckDB cuts by itself: it guesses where a record begins, and sees rows in a
    quoted value that holds lines. To say how large the buffer is takes away the limit of a line's length too.
    """
    longest = max(text.stat().st_size for text in texts)
    buffer = f"buffer_size = {longest + 1}, " if longest > UNCUT else ""
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    dialect, listed = file.dialect, ", ".join(quoted(str(text)) for text in texts)
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    con.execute(
        f'create or replace table "{stem}" as select * from read_csv([{listed}], columns = {{{columns}}}, auto_detect = false, '
        f"{header}, delim = {quoted(dialect.delimiter)}, quote = {quoted(dialect.quote)}, escape = {quoted(dialect.quote)}, "
        f"nullstr = '', {buffer}store_rejects = true, rejects_table = 'reject_errors', rejects_scan = 'reject_scans')"
    )


def _records_read(con: duckdb.DuckDBPyConnection, stem: str) -> int:
    """The rows of the table STEM and the records that DuckDB rejected."""
    rejected = "select count(distinct (file_id, line_byte_position)) from reject_errors"
    return int(con.execute(f'select count(*) + ({rejected}) from "{stem}"').fetchall()[0][0])


def _as_utf8(file: File, room: Path) -> Path | None:
    """The file itself, or a copy of it unpacked and in UTF-8; None, with a fault, where it is not what it is said to be."""
    path, encoding = file.path, file.dialect.encoding
    try:
        if path.suffix == ".gz":
            target = room / f"{len(list(room.iterdir()))}.csv"
            with gzip.open(path) as packed, target.open("wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
            path = target
        with path.open("rb") as opened:
            encoding = "utf-16" if opened.read(2) in UTF16 else encoding
        if encoding in ("utf-8", "utf-8-sig"):
            return path
        target = room / f"{len(list(room.iterdir()))}.csv"
        with (
            path.open(encoding=encoding, newline="") as written,
            target.open("w", encoding="utf-8", newline="") as plain,
        ):
            shutil.copyfileobj(written, plain, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        file.faults.append(
            suspects.fault("F022", "incomplete", file.label, "a compressed file that ends too early or is damaged")
        )
    except UnicodeError:
        line = _line_of(path, encoding)
        found = f"bytes that are not {encoding}"
        file.faults.append(suspects.fault("F004", "wrong-encoding", f"{file.label}{line}", found, f"text in {encoding}",
                                          "correct `encoding` in the dialect, or export again"))  # fmt: skip
    else:
        return target
    return None


def _line_of(path: Path, encoding: str) -> str:
    """`:LINE` of the first byte that cannot be decoded, where the encoding has one byte a letter."""
    if encoding.startswith(("utf-16", "utf-32")):
        return ""
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            line.decode(encoding)
        except UnicodeError:
            return f":{number}"
    return ""


def _header(file: File) -> list[str]:
    """The names of the columns; where lines stand before them, `skipped` counts those."""
    assert file.text
    with file.text.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as text:
        records = csv.reader(text, delimiter=file.dialect.delimiter, quotechar=file.dialect.quote)
        wanted = suspects.folded(file.dialect.header)
        for record in records:
            if not wanted or wanted in map(suspects.folded, record):
                file.is_header_long = records.line_num > file.skipped + 1
                return record
            file.skipped = records.line_num
            if file.skipped >= HEADER_WITHIN:
                break
    found = f"no column {file.dialect.header!r} in the first {HEADER_WITHIN} lines"
    file.faults.append(suspects.fault("F015", "header-not-found", file.label, found, "the line of the column names",
                                      "correct `header` in the dialect, or export with the column"))  # fmt: skip
    return []


def _keep_broken(con: duckdb.DuckDBPyConnection, file: File) -> None:
    """The lines that DuckDB rejected, with the line each begins on."""
    assert file.text
    rejected = con.execute(
        "select case when file_path = ? then 0 else parse_filename(file_path)::BIGINT end + line_byte_position - 1 "
        "+ len(csv_line) - len(ltrim(csv_line, chr(13) || chr(10))), min(error_type::varchar), "
        f"any_value(trim(csv_line, chr(13) || chr(10))) as text, {_is_total(file.dialect, 'text')} "
        "from reject_errors join reject_scans using (scan_id, file_id) group by 1, csv_line order by 1",
        [str(file.text)],
    ).fetchall()  # a rejected line may begin with the blank ones before it; a part is named for its first byte
    places = [byte for byte, *_ in rejected]
    numbers = [file.records.line_of(byte) for byte in places] if file.records else lines.at(file.text, places)
    for number, (_, kind, text, is_total) in zip(numbers, rejected, strict=True):
        if is_total:
            file.totals.append(number)
        elif suspects.TOTAL.search(text):
            first = text.partition(file.dialect.delimiter)[0]  # what follows may be of a person
            file.faults.append(suspects.undeclared_total(f"{file.label}:{number}", first))
        else:
            file.broken.append((number, kind, text))
    undecoded = [number for number, kind, _ in file.broken if kind == "INVALID ENCODING"]
    if undecoded and not suspects.holds_utf8(file.text):
        file.faults.append(suspects.other_encoding(f"{file.label}:{undecoded[0]}", len(undecoded)))
    _tell_broken(file, file.width)


def _is_total(dialect: Dialect, line: str) -> str:
    """SQL that is true of a line that the dialect calls a total, by DuckDB's expressions: their time grows with the line alone (F165)."""
    pattern = "|".join(f"(?:{pattern})" for pattern in dialect.totals)
    return f"regexp_matches({line}, {quoted(pattern)})" if pattern else "false"


def _tell_broken(file: File, width: int) -> None:
    """One fault for each kind of broken line, with the first line and the count."""
    for wanted in dict.fromkeys(kind for _, kind, _ in file.broken):
        lines = [(number, text) for number, kind, text in file.broken if kind == wanted]
        number, text = lines[0]
        found = WORDS.get(wanted, printable(wanted.lower())) + (
            f" (and {len(lines) - 1} more lines)" if lines[1:] else ""
        )
        fault = Fault("F011", "line-broken", f"{file.label}:{number}", found, f"{width} values in UTF-8",
                      "correct the line, or export the file again", level="Q")  # fmt: skip
        if wanted == "UNQUOTED VALUE" and (swallowed := text.count("\n")):
            found = f"a quote is opened and not closed; it takes {swallowed} more lines"
            fault = replace(fault, rule="F010", name="quote-open", found=found, level="E")
        elif wanted == "ERROR CELL":
            fault = replace(
                fault, rule="F020", name="error-cell", expected="a value", fix="mend the workbook's formula"
            )
        file.faults.append(fault)


def _leave_out(con: duckdb.DuckDBPyConnection, stem: str, file: File, names: list[str]) -> None:
    """Take away the lines that the dialect's `totals` mean, and count them; refuse one at the end that nobody declared."""
    listed = ", ".join(map(quoted_name, names))
    if file.dialect.totals:
        line = f"concat_ws({quoted(file.dialect.delimiter)}, {listed})"
        rows = f'from "{stem}" where {_is_total(file.dialect, line)}'
        (file.last,) = con.execute(f'select coalesce(max(_row), 0) from "{stem}"').fetchall()[0]
        con.execute(f"delete {rows}")
    first = f"coalesce({listed})" if len(names) > 1 else listed
    ends = con.execute(f'select _row, {first} from "{stem}" order by _row desc limit 2').fetchall()
    file.faults += [
        suspects.undeclared_total(file.place(row), text) for row, text in ends if text and suspects.TOTAL.search(text)
    ]
