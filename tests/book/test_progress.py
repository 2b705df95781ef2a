import io
import time

from blindspots.book.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_the_first_news_at_once_and_then_a_line_now_and_then():
    log = io.StringIO()
    with Progress("part/one", interval=0.05, stream=log) as progress:
        progress("cell 1 of 2: a")
        progress("cell 2 of 2: b")
        time.sleep(0.2)
    lines = log.getvalue().splitlines()
    assert lines[0].endswith("s  cell 1 of 2: a")
    assert 2 <= len(lines) <= 6
    assert all(line.startswith("part/one ") and line.endswith("cell 2 of 2: b") for line in lines[1:])


def test_a_short_run_leaves_one_line():
    log = io.StringIO()
    with Progress("part/one", stream=log) as progress:
        for cell in range(20):
            progress(f"cell {cell}")
    assert len(log.getvalue().splitlines()) == 1


def test_a_terminal_line_is_rewritten_and_wiped_at_the_end():
    terminal = Terminal()
    with Progress("part/one", stream=terminal) as progress:
        progress("cell 1")
        progress("cell 2")
    assert "\n" not in terminal.getvalue()
    assert terminal.getvalue().count("\r") == 3
    assert terminal.getvalue().endswith("\r\x1b[2K")
