import subprocess
import sys

from blindspots import provenance


def write(path, text):
    path.write_text(text)
    return path


def test_the_closure_of_a_file_holds_what_it_imports(tmp_path):
    notebook = write(tmp_path / "notebook.py", "from blindspots.cache import cached_tensors\n")
    names = {file.name for file in provenance.source_closure(notebook)}
    assert names == {"notebook.py", "__init__.py", "cache.py", "provenance.py"}


def test_imports_inside_functions_count(tmp_path):
    file = write(tmp_path / "a.py", "def f():\n    import blindspots.seeding\n")
    assert "seeding.py" in {found.name for found in provenance.source_closure(file)}


def test_comments_and_docstrings_do_not_change_the_fingerprint_but_code_does(tmp_path):
    plain = provenance.source_fingerprint(write(tmp_path / "a.py", "def f():\n    return 1\n"))
    told = provenance.source_fingerprint(write(tmp_path / "b.py", '"""M."""\n\ndef f():\n    "D."\n    return 1  #\n'))
    other = provenance.source_fingerprint(write(tmp_path / "c.py", "def f():\n    return 2\n"))
    assert plain == told != other


def test_git_state_is_none_outside_a_repository(tmp_path):
    assert provenance.git_state(tmp_path) is None


def test_git_state_tells_whether_the_tree_is_clean(tmp_path):
    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, "-c", "user.name=t", "-c", "user.email=t@t", *arguments], check=True)

    git("init", "-q")
    write(tmp_path / "a", "1")
    git("add", "a")
    git("commit", "-qm", "a")
    assert provenance.git_state(tmp_path)["clean"] is True
    write(tmp_path / "b", "1")
    state = provenance.git_state(tmp_path)
    assert state["clean"] is False
    assert len(state["commit"]) == 40


def test_versions_name_what_is_installed_only():
    found = provenance.versions(["torch", "no-such-package-here"])
    assert set(found) == {"python", "torch"}


def test_the_device_is_described():
    described = provenance.device_info("cpu")
    assert described["device"] == "cpu"
    assert described["device_name"]
    assert described["threads"] >= 1


def test_importing_provenance_does_not_import_torch():
    code = "import sys, blindspots.provenance; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
