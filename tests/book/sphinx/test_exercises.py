from docutils import nodes
from docutils.utils import new_document

from blindspots.book.sphinx.exercises import number_bodies


def test_repeated_identifiers_are_numbered_and_others_stay():
    page = new_document("page")
    for name in ("exercise-content", "solution-content", "exercise-content", "introduction"):
        page += nodes.section(ids=[name])
    number_bodies(None, page, "page")
    assert [section["ids"] for section in page.findall(nodes.section)] == [
        ["exercise-content-1"], ["solution-content-1"], ["exercise-content-2"], ["introduction"],
    ]  # fmt: skip
