"""The README fits a screen, and its example prints what its comment says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_it_fits_a_screen():
    assert len(TEXT.splitlines()) <= 60


def test_the_files_it_names_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


@pytest.mark.slow
def test_its_example_prints_what_the_comment_says(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]
    expected = [float(number) for number in re.search(r"# about ([\d.]+), then ([\d.]+)", code).groups()]
    exec(compile(code, "README.md", "exec"), {})
    printed = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines() if "_step" in line]
    # The training differs a little between machines and thread counts; the two attacks differ far more.
    assert printed == pytest.approx(expected, abs=0.05)
