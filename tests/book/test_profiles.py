import pytest

from blindspots.book.profiles import find_notebook, load_profile, profile_names


def write(layout, text):
    (layout.profiles / "smoke.yml").write_text(text)


def test_a_profile_gives_each_notebook_its_block(layout):
    profile = load_profile(layout, "smoke")
    assert profile.description == "tiny"
    assert profile.notebooks["part/one"].parameters == {"epsilon": 0.25}
    assert profile.notebooks["part/two"].parameters == {}


def test_an_unknown_profile_names_those_there_are(layout):
    with pytest.raises(ValueError, match="profile: expected one of smoke; got 'fast'"):
        load_profile(layout, "fast")
    assert profile_names(layout) == ["smoke"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notebooks: {part/three: {}}", "notebook: expected one of part/one, part/two; got 'part/three'"),
        ("notebooks: {part/one: {parameters: {epsilon: x}}}", "part/one: epsilon: expected a number"),
        ("notebooks: {part/one: {cores: 2}}", "unknown field cores; fields are parameters, threads"),
        ("notebooks: [", "smoke.yml: not valid YAML"),
    ],
)
def test_mistakes_in_a_profile_are_named(layout, text, message):
    write(layout, text)
    with pytest.raises(ValueError, match=message):
        load_profile(layout, "smoke")


@pytest.mark.parametrize("given", ["part/one", "part/one.py", "notebooks/part/one.py", "/a/notebooks/part/one.ipynb"])
def test_a_notebook_is_found_by_name_or_path(layout, given):
    assert find_notebook(layout, given) == "part/one"


def test_an_unknown_notebook_names_those_there_are(layout):
    with pytest.raises(ValueError, match="expected one of part/one, part/two; got 'one'"):
        find_notebook(layout, "one")
