import pytest

from blindspots.book.parameters import check_parameters, parse_overrides, read_parameters

DECLARED = {"epsilon": 0.5, "steps": 3, "name": "digits", "sides": [28, 32], "strict": False, "device": None}


def cell(tmp_path, text, tags='tags=["parameters"]'):
    path = tmp_path / "notebook.py"
    path.write_text(f"# %% [markdown]\n# # Title\n\n# %% {tags}\n{text}\n\n# %%\nother = 1\n")
    return path


def test_names_and_defaults_are_read(layout):
    assert read_parameters(layout.source("part/one")) == DECLARED


@pytest.mark.parametrize("text", ["a = print()", "a = b = 1", "def f(): pass", "a, b = 1, 2", "a = [x for x in 'ab']"])
def test_anything_but_a_literal_is_refused(tmp_path, text):
    with pytest.raises(ValueError, match="expected"):
        read_parameters(cell(tmp_path, text))


def test_negative_numbers_are_literals(tmp_path):
    assert read_parameters(cell(tmp_path, "a = -1.5")) == {"a": -1.5}


def test_a_notebook_without_the_cell_is_refused(tmp_path):
    with pytest.raises(ValueError, match='exactly one cell tagged "parameters", found 0'):
        read_parameters(cell(tmp_path, "a = 1", tags=""))


@pytest.mark.parametrize(
    "given", [{"epsilon": 5}, {"epsilon": 1e-3}, {"steps": 1}, {"sides": [1]}, {"sides": []}, {"device": "cpu"}, {}]
)
def test_values_of_the_right_type_pass(given):
    check_parameters(DECLARED, given, "part/one")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epsilom": 5}, "epsilom: no such parameter; did you mean epsilon?"),
        ({"zzz": 5}, r"zzz: no such parameter\. Parameters that exist: epsilon \(a number\), steps \(an integer\)"),
        ({"epsilon": "big"}, "epsilon: expected a number such as 0.5, got text 'big'"),
        ({"epsilon": True}, "epsilon: expected a number"),
        ({"steps": 2.5}, "steps: expected an integer such as 3, got a number 2.5"),
        ({"strict": 1}, "strict: expected true or false"),
        ({"sides": 28}, "sides: expected a list of integers"),
        ({"sides": ["a"]}, "sides: expected a list of integers"),
        ({"name": None}, "name: expected text such as 'digits', got nothing"),
    ],
)
def test_misfits_are_named_with_what_exists(given, message):
    with pytest.raises(ValueError, match=message):
        check_parameters(DECLARED, given, "part/one")


def test_all_misfits_are_named_at_once():
    with pytest.raises(ValueError, match=r"part/one: a: no such.*steps: expected"):
        check_parameters(DECLARED, {"a": 1, "steps": "x"}, "part/one")


def test_texts_become_values():
    pairs = [("a", "5"), ("b", "1e-3"), ("c", "true"), ("d", "[1, 2.5]"), ("e", "digits"), ("f", "-1E+2"), ("g", "")]
    assert parse_overrides(pairs) == {
        "a": 5, "b": 0.001, "c": True, "d": [1, 2.5], "e": "digits", "f": -100.0, "g": None,
    }  # fmt: skip


def test_a_parameter_given_twice_is_refused():
    with pytest.raises(ValueError, match="parameter a: given twice"):
        parse_overrides([("a", "1"), ("a", "2")])
