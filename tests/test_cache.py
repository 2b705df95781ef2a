import multiprocessing
import os
import time

import pytest
import torch

from blindspots import seeding
from blindspots.cache import cache_directory, cached_tensors, entry_path

OPTIONS = {"parameters": {"width": 4}, "data": "abc", "sources": [seeding.generator]}


def ones():
    return {"weight": torch.ones(3)}


def test_a_second_call_reads_the_entry(tmp_path):
    first = cached_tensors("model", ones, directory=tmp_path, **OPTIONS)
    second = cached_tensors("model", lambda: pytest.fail("built twice"), directory=tmp_path, **OPTIONS)
    assert (first.hit, second.hit) == (False, True)
    assert torch.equal(second.tensors["weight"], torch.ones(3))
    assert first.key == second.key


def test_metadata_come_back(tmp_path):
    for _ in range(2):
        entry = cached_tensors("model", lambda: (ones(), {"accuracy": 0.5}), directory=tmp_path, **OPTIONS)
        assert entry.metadata == {"accuracy": 0.5}


@pytest.mark.parametrize(
    "change", [{"parameters": {"width": 5}}, {"data": ["abc", "d"]}, {"sources": [cached_tensors]}, {"sources": []}]
)
def test_parameters_data_and_code_decide_the_key(tmp_path, change):
    first = cached_tensors("model", ones, directory=tmp_path, **OPTIONS)
    other = cached_tensors("model", ones, directory=tmp_path, **(OPTIONS | change))
    assert other.key != first.key


def test_the_path_of_an_entry_is_known_beforehand(tmp_path):
    path = entry_path("model", directory=tmp_path, **OPTIONS)
    assert not path.parent.exists()
    entry = cached_tensors("model", ones, directory=tmp_path, **OPTIONS)
    assert path.is_file() and path.stem == entry.key
    assert entry_path("model", directory=tmp_path, **OPTIONS | {"sources": []}) != path


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"0" * 64 + b"short"])
def test_a_damaged_entry_is_noticed_and_built_again(tmp_path, damage):
    key = cached_tensors("model", ones, directory=tmp_path, **OPTIONS).key
    (tmp_path / "model" / f"{key}.pt").write_bytes(damage)
    with pytest.warns(UserWarning, match="is damaged"):
        again = cached_tensors("model", ones, directory=tmp_path, **OPTIONS)
    assert not again.hit
    assert cached_tensors("model", ones, directory=tmp_path, **OPTIONS).hit


def test_one_flipped_bit_is_damage(tmp_path):
    key = cached_tensors("model", ones, directory=tmp_path, **OPTIONS).key
    path = tmp_path / "model" / f"{key}.pt"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(bytes(content))
    with pytest.warns(UserWarning, match="checksum mismatch"):
        assert not cached_tensors("model", ones, directory=tmp_path, **OPTIONS).hit


def slow_build(folder, started):
    def build():
        (folder / f"built-{os.getpid()}").touch()
        time.sleep(0.5)
        return {"weight": torch.ones(3)}

    started.wait()
    cached_tensors("model", build, directory=folder, **OPTIONS)


def test_two_processes_do_not_build_the_same_entry_twice(tmp_path):
    context = multiprocessing.get_context("fork")
    started = context.Barrier(2)
    workers = [context.Process(target=slow_build, args=(tmp_path, started)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(list(tmp_path.glob("built-*"))) == 1


def test_a_failed_build_leaves_nothing(tmp_path):
    def fail():
        raise RuntimeError("no convergence")

    with pytest.raises(RuntimeError, match="no convergence"):
        cached_tensors("model", fail, directory=tmp_path, **OPTIONS)
    assert not list(tmp_path.glob("model/*.pt")) and not list(tmp_path.glob("model/.*tmp"))


def test_a_full_disk_leaves_nothing_and_says_so(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        cached_tensors("model", ones, directory=tmp_path, **OPTIONS)
    assert not list(tmp_path.glob("model/*.pt")) and not list(tmp_path.glob("model/.*tmp"))


def test_a_folder_that_cannot_be_made_names_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="set BLINDSPOTS_CACHE"):
        cached_tensors("model", ones, directory=tmp_path / "file", **OPTIONS)


@pytest.mark.parametrize("kind", ["", "Model", "a/b", "..", "a b"])
def test_a_kind_that_is_no_folder_name_is_refused(tmp_path, kind):
    with pytest.raises(ValueError, match="lower-case words"):
        cached_tensors(kind, ones, directory=tmp_path, **OPTIONS)


def test_parameters_must_be_json(tmp_path):
    with pytest.raises(TypeError, match="JSON-able"):
        cached_tensors("model", ones, directory=tmp_path, **(OPTIONS | {"parameters": {"a": object()}}))


def test_only_tensors_are_kept(tmp_path):
    with pytest.raises(TypeError, match="dictionary of tensors"):
        cached_tensors("model", lambda: {"a": 3}, directory=tmp_path, **OPTIONS)


def test_the_folder_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path
    assert cache_directory(tmp_path / "other") == tmp_path / "other"
