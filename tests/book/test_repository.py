import pytest

from blindspots.book.repository import find_layout


def test_the_root_is_found_from_a_folder_inside(layout):
    assert find_layout(layout.root / "notebooks" / "part").root == layout.root


def test_the_root_comes_from_the_environment(layout, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_ROOT", str(layout.root))
    assert find_layout().root == layout.root


def test_a_folder_outside_a_clone_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="run from a clone of the book"):
        find_layout(tmp_path)


def test_notebooks_are_named_by_part_and_name(layout):
    assert layout.notebook_names() == ["part/one", "part/two"]
    assert layout.source("part/one").is_file()


def test_what_is_built_lies_below_build(layout):
    places = [layout.page("quick", "a/b"), layout.record("quick", "a/b"), layout.stamp("quick", "a/b"), layout.site]
    assert all(place.is_relative_to(layout.build) for place in places)
    assert len(set(places)) == 4
