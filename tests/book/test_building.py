"""The real build graph over two tiny notebooks, with the real Snakemake."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blindspots.book import building

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(layout, monkeypatch):
    shutil.copy(ROOT / "Snakefile", layout.root)
    monkeypatch.setenv("BLINDSPOTS_ROOT", str(layout.root))
    monkeypatch.delenv("BLINDSPOTS_DATA", raising=False)
    return layout


def executed_at(layout):
    """Return when each notebook was last executed: its record is written then, and only then."""
    return {name: layout.record("smoke", name).stat().st_mtime_ns for name in ("part/one", "part/two")}


def build(layout):
    building.build_book(layout, "smoke", jobs=2, target="notebooks")
    return executed_at(layout)


def test_only_what_changed_runs_again(checkout):
    first = build(checkout)
    assert json.loads(checkout.record("smoke", "part/one").read_text())["epsilon"] == 0.25
    assert build(checkout) == first
    profile = checkout.profiles / "smoke.yml"
    profile.write_text(profile.read_text().replace("0.25", "0.75"))
    second = build(checkout)
    assert json.loads(checkout.record("smoke", "part/one").read_text())["epsilon"] == 0.75
    assert second["part/one"] > first["part/one"]
    assert second["part/two"] == first["part/two"]
    checkout.page("smoke", "part/two").unlink()
    assert build(checkout)["part/two"] > first["part/two"]


def test_one_failure_lets_the_rest_finish_and_keeps_good_pages(checkout, capfd):
    first = build(checkout)
    profile = checkout.profiles / "smoke.yml"
    profile.write_text(profile.read_text().replace("0.25", "-1.0").replace("part/two: {}", "part/two: {threads: 2}"))
    with pytest.raises(building.BuildFailed, match="the same command resumes"):
        build(checkout)
    assert "a negative radius" in "".join(capfd.readouterr())
    now = executed_at(checkout)
    assert now["part/one"] == first["part/one"]
    assert now["part/two"] > first["part/two"]


def test_a_killed_build_resumes(checkout):
    source = checkout.source("part/two")
    source.write_text(source.read_text().replace("import json", "import time; time.sleep(3600)\nimport json"))
    arguments = [sys.executable, "-m", "blindspots.book.cli", "book", "--profile", "smoke", "--jobs", "2", "--no-site"]
    command = subprocess.Popen(arguments, cwd=checkout.root)
    deadline = time.monotonic() + 60
    while not checkout.stamp("smoke", "part/one").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    done = checkout.record("smoke", "part/one").stat().st_mtime_ns
    os.kill(command.pid, signal.SIGKILL)
    command.wait()
    source.write_text(source.read_text().replace("time.sleep(3600)", "pass"))
    assert build(checkout)["part/one"] == done


def test_a_second_build_in_a_checkout_is_refused(checkout):
    with building._one_build_at_a_time(checkout), pytest.raises(building.BuildFailed, match="another build runs"):
        build(checkout)


def test_a_site_without_its_pages_says_what_to_run(checkout):
    with pytest.raises(building.BuildFailed, match="run `make book PROFILE=smoke`"):
        building.build_site(checkout, "smoke")


def test_a_failed_site_leaves_the_one_that_was_there(checkout):
    for name in ("part/one", "part/two"):
        page = checkout.page("smoke", name)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("{}")
    checkout.site.mkdir(parents=True)
    (checkout.site / "index.html").write_text("good")
    with pytest.raises(building.BuildFailed, match="the site that was there is unchanged"):
        building.build_site(checkout, "smoke")
    assert (checkout.site / "index.html").read_text() == "good"


def test_publishing_replaces_the_whole_site(tmp_path):
    built, site = tmp_path / "built", tmp_path / "html"
    for folder, name in ((built, "new.html"), (site, "old.html")):
        folder.mkdir()
        (folder / name).write_text(name)
    building._publish(built, site)
    assert [path.name for path in site.iterdir()] == ["new.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "html"]


@pytest.mark.parametrize(
    "line",
    ["part__one        1\n", "[Sat Nov 21 02:10:36 2026]\n", "Building DAG of jobs...\n", "\n", "job          count\n",
     "[IPKernelApp] WARNING | Kernel is running over TCP\n", "Complete log(s): a.log\n", "Nothing to be done (all)\n"],
)  # fmt: skip
def test_chatter_is_hidden(line):
    assert building.is_chatter(line)


@pytest.mark.parametrize(
    "line",
    ["blindspots: part/one: cell 3 raised E: no\n", "1 of 3 steps (33%) done\n", "Error in rule part__one:\n",
     "part/one: executed in 3 s\n", "part/one  12 s  cell 3 of 20: a\n", "FileNotFoundError in file\n"],
)  # fmt: skip
def test_news_is_shown(line):
    assert not building.is_chatter(line)


def test_a_stamp_is_written_atomically(tmp_path):
    building.write_stamp(tmp_path / "a" / "b.json", {"profile": "smoke"})
    assert json.loads((tmp_path / "a" / "b.json").read_text()) == {"profile": "smoke"}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]
