"""How pages were made: the status table, the box, and the download of each notebook."""

import nbformat
import pytest

from blindspots.book.sphinx.results import Store
from blindspots.book.sphinx.status import commit_text, duration_text, memory_of, provenance_fields


def test_durations_read_well():
    assert [duration_text(seconds) for seconds in (0.04, 12.34, 300)] == ["0.0 s", "12.3 s", "5.0 min"]


def test_uncommitted_changes_are_said():
    assert commit_text({"commit": "0123456789abcdef", "clean": True}) == "0123456789"
    assert commit_text({"commit": "0123456789abcdef", "clean": False}).endswith("with uncommitted changes")
    assert commit_text(None) == "not under version control"


@pytest.mark.parametrize(
    ("content", "expected"), [("max_rss\n812.5\n900\n", 900.0), ("max_rss\n-\n", None), (None, None)]
)
def test_memory_comes_from_the_benchmark_where_there_is_one(tmp_path, content, expected):
    store = Store("quick", tmp_path, tmp_path, tmp_path, tmp_path)
    (tmp_path / "attacks").mkdir()
    if content is not None:
        (tmp_path / "attacks" / "step.tsv").write_text(content)
    assert memory_of(store, "attacks/step") == expected


def test_provenance_names_everything_that_a_repetition_needs(record):
    fields = dict(provenance_fields(record, 812.5))
    assert fields["Parameters"] == "epsilon = 10" and fields["Seed"] == "0" and fields["Memory"] == "812 MB"
    assert fields["Data"].startswith("digits, test, n = 100; SHA-256 abababababab…; embedded; free")
    assert fields["Device"] == "a processor, 1 thread" and fields["Started"] == "2026-01-02 03:04:05 UTC"
    assert fields["Versions"] == "python 3.11.7, torch 2.6.0"


def test_a_run_that_draws_nothing_says_so(record):
    record["provenance"]["seed"] = None
    assert "nothing is drawn" in dict(provenance_fields(record, None))["Seed"]


def test_a_notebooks_page_has_its_download_and_its_provenance(book):
    book.record()
    book.notebook([nbformat.v4.new_markdown_cell("# A claim\n\nText.\n\n## More\n\nText.")])
    assert book.build() == ""
    html = book.html("notebooks/attacks/step")
    assert html.index("<h1>") < html.index("Profile quick, ran in 12.3 s, seed 0.") < html.index("<h2>")
    address = html.split("Download this notebook")[0].rsplit('href="', 1)[1].split('"')[0]
    downloaded = book.root / "html" / "notebooks" / "attacks" / address
    assert downloaded.suffix == ".ipynb" and nbformat.read(downloaded, 4).cells[0].source.startswith("# A claim")
    assert html.index("<h2>") < html.index("How this page was made</summary>")


def test_a_notebook_without_a_record_warns(book):
    book.notebook([nbformat.v4.new_markdown_cell("# A claim")])
    assert "no record at attacks/step.json" in book.build()


def test_a_page_of_prose_has_neither(book):
    book.page("page", "# Page\n\nText.\n")
    assert book.build() == ""
    assert "provenance" not in book.html("page") and "run-line" not in book.html("page")


def test_the_box_can_stand_on_a_page_of_prose(book):
    book.record()
    book.page("page", "# Page\n\n```{provenance} attacks/step\n```\n")
    assert book.build() == ""
    assert "How this page was made" in book.html("page")


def test_a_box_without_a_record_warns_with_file_and_line(book):
    book.page("page", "# Page\n\n```{provenance} attacks/gone\n```\n")
    assert "page.md:3: WARNING: provenance: no record at attacks/gone.json" in book.build()


def test_the_status_page_has_a_row_for_each_notebook(book):
    book.record()
    (book.root / "_build/benchmarks/quick/attacks").mkdir(parents=True)
    (book.root / "_build/benchmarks/quick/attacks/step.tsv").write_text("s\tmax_rss\n1\t812.5\n")
    book.page("page", "# Page\n\n```{status}\n```\n\n```{status}\n:profile: real\n```\n")
    assert book.build() == ""
    html = book.html("page")
    for text in ("attacks/step", "12.3 s", "812 MB", "a processor, threads: 1", "torch 2.6.0", "uncommitted changes"):
        assert text in html
    assert "No notebook has been recorded with the profile real." in html
