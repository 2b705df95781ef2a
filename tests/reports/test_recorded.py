import json
import os
import subprocess

import pytest

from blindspots.reports import recorded
from blindspots.reports.recorded import record_run


@pytest.fixture
def git(tmp_path):
    """Make a small repository and return a function that runs git in it."""
    root = tmp_path / "repository"
    for folder in ("src", "notebooks", "book"):
        (root / folder).mkdir(parents=True)
        (root / folder / "file.txt").write_text("one\n")
    (root / ".gitignore").write_text("_build/\n")

    def git(*arguments):
        names = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *names, *arguments], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    git.root = root
    return git


@pytest.fixture
def ran(git, make_record, write_record, with_figure):
    """Return a function that leaves a run's record in the repository's build folder."""

    def run(notebook="attacks/one", profile="real", **changes):
        record = with_figure(make_record(notebook, profile, commit=git("rev-parse", "HEAD"), success=0.5))
        record["provenance"].update(changes)
        return write_record(record, git.root / "_build" / "results")

    return run


def keep(git, profile="real", **options):
    return record_run(profile, git.root / "_build" / "results", git.root / "results", repository=git.root, **options)


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_of_committed_code_is_copied_with_its_light_figures(git, ran):
    source = ran()
    (path,) = keep(git)
    assert path == git.root / "results" / "real" / "attacks" / "one.json"
    assert path.read_bytes() == source.read_bytes()
    assert files_below(git.root / "results") == ["real/attacks/one.json", "real/attacks/one/steps.svg"]


def test_chosen_notebooks_are_recorded_alone(git, ran):
    ran("attacks/one")
    ran("attacks/two")
    assert [path.stem for path in keep(git, notebooks=["attacks/two"])] == ["two"]
    assert not (git.root / "results" / "real" / "attacks" / "one.json").exists()
    assert [path.stem for path in keep(git)] == ["one", "two"]


def test_a_second_recording_replaces_the_first_whole(git, ran, with_figure):
    path = ran()
    keep(git)
    record = json.loads(path.read_text())
    record["figures"] = {}
    record["values"]["success"]["value"] = 0.75
    path.write_text(json.dumps(record))
    keep(git)
    assert files_below(git.root / "results") == ["real/attacks/one.json"]
    assert json.loads((git.root / "results/real/attacks/one.json").read_text())["values"]["success"]["value"] == 0.75


@pytest.mark.parametrize("name", ["src/file.txt", "book/new.txt"])
def test_an_unclean_tree_is_refused(git, ran, name):
    ran()
    (git.root / name).write_text("changed")
    with pytest.raises(ValueError, match=f"expected a clean tree, got changes in {name}; commit them and run again"):
        keep(git)
    assert not (git.root / "results").exists()


def test_recorded_results_do_not_make_the_tree_unclean(git, ran):
    ran("attacks/one")
    keep(git)
    ran("latent/one")
    assert len(keep(git, notebooks=["latent/one"])) == 1


def test_a_run_with_uncommitted_changes_is_refused(git, ran):
    ran(git={"commit": git("rev-parse", "HEAD"), "clean": False})
    with pytest.raises(ValueError, match=r"one\.json: expected a run of committed code, got one with uncommitted"):
        keep(git)
    ran(git=None)
    with pytest.raises(ValueError, match="got one outside a repository"):
        keep(git)


def test_an_earlier_commit_counts_while_code_and_notebooks_stay_the_same(git, ran):
    ran()
    (git.root / "book" / "file.txt").write_text("two\n")
    git("commit", "-qam", "prose")
    assert len(keep(git)) == 1


@pytest.mark.parametrize("folder", ["src", "notebooks"])
def test_an_earlier_commit_with_other_code_is_refused(git, ran, folder):
    ran()
    (git.root / folder / "file.txt").write_text("two\n")
    git("commit", "-qam", "code")
    with pytest.raises(ValueError, match=r"src or notebooks changed up to the present .*; run it again"):
        keep(git)


def test_a_commit_of_another_branch_is_refused(git, ran):
    git("checkout", "-qb", "other")
    git("commit", "-q", "--allow-empty", "-m", "other")
    ran()
    git("checkout", "-q", "-")
    git("commit", "-q", "--allow-empty", "-m", "main")
    with pytest.raises(ValueError, match="which is not an ancestor of the present"):
        keep(git)
    ran(git={"commit": "f" * 40, "clean": True})
    with pytest.raises(ValueError, match="which is not an ancestor of the present"):
        keep(git)


def test_a_path_of_this_machine_is_refused(git, ran):
    ran(parameters={"epsilon": 1.0, "data_root": "/home/somebody/data"})
    with pytest.raises(ValueError, match=r"provenance\.parameters\.data_root: expected nothing of this machine"):
        keep(git)


def test_nothing_is_copied_when_one_record_does_not_fit(git, ran):
    ran("attacks/one")
    ran("attacks/two", git=None)
    with pytest.raises(ValueError, match=r"two\.json"):
        keep(git)
    assert not (git.root / "results").exists()


def test_a_record_of_another_profile_is_refused(git, ran):
    path = ran()
    path.write_text(path.read_text().replace('"profile": "real"', '"profile": "quick"'))
    with pytest.raises(ValueError, match=r"one\.json: profile: expected 'real', got 'quick'"):
        keep(git)


def test_a_missing_figure_is_named(git, ran):
    ran().with_suffix("").joinpath("steps.svg").unlink()
    with pytest.raises(FileNotFoundError, match=r"steps\.svg: the record names this figure, and it is missing"):
        keep(git)


def test_a_file_above_the_limit_is_refused(git, ran, monkeypatch):
    monkeypatch.setattr(recorded, "LARGEST_FILE", 100)
    ran()
    with pytest.raises(ValueError, match=r"one\.json: expected at most 100 bytes"):
        keep(git)


def test_unknown_profiles_notebooks_and_missing_runs_are_named(git, ran, tmp_path):
    with pytest.raises(ValueError, match="profile: expected one of real, paper; got 'quick'"):
        keep(git, profile="quick")
    with pytest.raises(FileNotFoundError, match="expected records of a run, got none; run the profile first"):
        keep(git)
    ran()
    with pytest.raises(FileNotFoundError, match="no record of attacks/three; it holds attacks/one"):
        keep(git, notebooks=["attacks/three"])
    with pytest.raises(FileNotFoundError, match="no record of no notebook"):
        keep(git, notebooks=[])


def test_outside_a_repository_nothing_is_recorded(git, ran, tmp_path):
    ran()
    with pytest.raises(ValueError, match="expected a git repository with a commit"):
        record_run("real", git.root / "_build" / "results", tmp_path / "results", repository=tmp_path)


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_failed_copy_keeps_the_earlier_recording(git, ran, monkeypatch, stop):
    ran()
    keep(git)
    before = {name: (git.root / "results" / name).read_bytes() for name in files_below(git.root / "results")}
    calls, replace = [], os.replace

    def fails(source, target):
        calls.append(target)
        if len(calls) == stop:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(recorded.os, "replace", fails)
    with pytest.raises(OSError, match="No space left"):
        keep(git)
    monkeypatch.undo()
    after = {name: (git.root / "results" / name).read_bytes() for name in files_below(git.root / "results")}
    assert after == before
