"""What a run says while it works: lines, and on a terminal one that moves."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

TALK = """
import time
from abm_lib.run.progress import moving
with moving(print, plain={plain}) as (said, now):
    now("reading [red]x[/red]")
    time.sleep(0.3)
    said("done \\x1b[2J[bold]y")
"""


def on_a_terminal(plain: bool) -> str:
    """What a terminal is sent."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", TALK.format(plain=plain)])
    sent = b""
    while True:
        try:
            sent += (some := os.read(terminal, 65536))
        except OSError:  # Linux says so when the other end is closed
            break
        if not some:
            break
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return sent.decode()


def test_a_terminal_shows_what_is_done_and_what_is_going_on() -> None:
    sent = on_a_terminal(plain=False)
    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent)
    assert "reading [red]x[/red]" in words and re.search(r"0:00:0\d", words), "as it is, and for how long"
    assert "\x1b[2J" not in sent, "text of others moves no cursor"
    assert re.search(r"done .*\[bold\]y", words)


def test_told_to_be_plain_a_terminal_gets_lines_alone() -> None:
    assert "reading" not in on_a_terminal(plain=True)


def test_a_log_gets_lines_alone() -> None:
    done = subprocess.run([sys.executable, "-c", TALK.format(plain=False)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done \x1b[2J[bold]y\n", "")  # printed as given: `said` makes it printable
