"""Names in error messages: all where they are few, the likeliest where they are many."""

from blindspots.reports.near_names import MOST_NAMED, near_names


def test_few_names_are_all_said_in_order():
    assert near_names("a", {"b", "a"}) == "a, b" and near_names("a", []) == "none"
    assert near_names("x", [str(k) for k in range(MOST_NAMED)]).count(",") == MOST_NAMED - 1


def test_of_many_the_likeliest_come_first():
    names = [f"digits.rho.{k}" for k in range(200)] + ["digits.ratio.image"]
    text = near_names("digits.ratio.images", names)
    assert text.startswith("digits.ratio.image, ") and text.endswith(f"and {201 - MOST_NAMED} others")
    assert len(text) < 300
