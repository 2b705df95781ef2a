import os
import subprocess
import sys
from pathlib import Path

import pytest

from blindspots.book import cli


def call(layout, *arguments, **environment):
    command = [sys.executable, "-m", "blindspots.book.cli", *map(str, arguments)]
    variables = os.environ | {"BLINDSPOTS_ROOT": str(layout.root)} | environment
    return subprocess.run(command, capture_output=True, text=True, cwd=layout.root, env=variables)


def test_papermills_form_of_a_parameter_is_read():
    given = ["run", "a.py", "-p", "epsilon", "5", "-p", "name=x", "-o", "out.ipynb"]
    assert cli.joined_parameters(given) == ["run", "a.py", "-p", "epsilon=5", "-p", "name=x", "-o", "out.ipynb"]


def test_a_notebook_runs_with_other_parameters(layout):
    done = call(layout, "run", "notebooks/part/one.py", "-p", "epsilon", "5", "--profile", "smoke", "-o", "out.ipynb")
    assert done.returncode == 0, done.stderr
    assert "radius 5" in (layout.root / "out.ipynb").read_text()
    assert (layout.root / "out-results" / "smoke" / "part" / "one.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "part/none"], "expected one of part/one, part/two; got 'part/none'"),
        (["run", "part/one", "-p", "epsilom", "5"], "did you mean epsilon?"),
        (["run", "part/one", "-p", "epsilon", "big"], "expected a number such as 0.5, got text 'big'"),
        (["run", "part/one", "--profile", "fast"], "profile: expected one of smoke; got 'fast'"),
        (["run", "part/one", "--profile", "smoke", "--in-place", "-p", "epsilon", "1"], "--in-place: expected"),
        (["run", "part/one", "-p", "epsilon=-1"], "raised AssertionError: a negative radius"),
        (["book", "--profile", "fast"], "profile: expected one of smoke; got 'fast'"),
    ],
)
def test_an_expected_error_is_one_message_and_status_1(layout, arguments, message):
    done = call(layout, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(layout.root.glob("*.ipynb"))


def test_notebooks_are_written_for_plain_papermill(layout):
    done = call(layout, "notebooks")
    assert done.returncode == 0, done.stderr
    written = layout.root / "notebooks" / "part" / "one.ipynb"
    assert '"name": "python3"' in written.read_text()
    output = layout.root / "plain.ipynb"
    command = [Path(sys.executable).parent / "papermill", written, output, "-p", "epsilon", "7", "--no-progress-bar"]
    environment = os.environ | {"BLINDSPOTS_RESULTS": str(layout.root), "BLINDSPOTS_PROFILE": "local"}
    environment["OMP_NUM_THREADS"] = "1"
    subprocess.run(command, check=True, capture_output=True, env=environment)
    assert "radius 7" in output.read_text()


def test_help_needs_nothing_heavy():
    heavy = ("torch", "papermill", "nbformat")
    code = f"import sys, blindspots.book.cli; sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
