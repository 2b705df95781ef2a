import pytest
from typer.testing import CliRunner

from blindspots.book.data_commands import data_app


@pytest.fixture
def call(monkeypatch, tmp_path):
    monkeypatch.setenv("BLINDSPOTS_DATA", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(data_app, list(arguments))


def test_every_set_is_listed_with_whether_it_is_at_hand(call):
    from blindspots.data import catalogue

    lines = call("list").output.splitlines()
    assert len(lines) == len(catalogue())
    assert any(line.startswith("digits") and "at hand" in line for line in lines)
    assert any(line.startswith("mnist") and "absent" in line for line in lines)


def test_a_card_shows_licence_citation_and_fingerprints(call):
    output = call("show", "digits").output
    for wanted in ("licence", "citation", "sha256 of train", "sha256 of test", "(n = 1000)"):
        assert wanted in output


def test_a_card_of_the_first_rows_alone(call):
    output = call("show", "digits", "--limit", "7").output
    assert output.count("(n = 7)") == 3


def test_a_set_that_is_not_there_says_how_to_get_it(call):
    assert "blindspots data fetch mnist" in " ".join(call("show", "mnist").output.split())


def test_an_unknown_set_names_the_closest(call):
    assert "did you mean 'digits'" in str(call("show", "digit").exception)


def test_nothing_below_the_data_root_is_said(call):
    assert "no official set" in call("verify").output


def test_embedded_sets_need_no_verifying(call):
    assert "nothing to verify" in call("verify", "digits").output


def test_a_half_written_set_is_named(call, tmp_path):
    (tmp_path / "mnist" / "MNIST" / "raw").mkdir(parents=True)
    result = call("verify")
    assert "INCOMPLETE" in result.output
    assert "incomplete: mnist" in str(result.exception)


def test_a_licence_must_be_accepted_before_anything_is_fetched(call, tmp_path):
    result = call("fetch", "mnist")
    assert "--accept-licence" in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_a_set_that_may_not_be_fetched_names_its_page(call):
    assert "terms" in str(call("fetch", "celeba", "--accept-licence").exception)
