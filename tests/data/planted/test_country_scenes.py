"""Scenes by country with planted light and clutter."""

import numpy as np
import pytest
import torch

from blindspots.data import load
from blindspots.data.embedded import country_incomes
from blindspots.data.planted import planted_scenes


def slope(scenes, values):
    """Return the slope of values on the place between poorest (0) and richest (1), and its standard error."""
    log_income = scenes.extras["income"].double().log().numpy()
    place = (log_income - log_income.min()) / (log_income.max() - log_income.min())
    design = np.stack([np.ones_like(place), place], axis=1)
    values = values.double().numpy()
    fit, residual, *_ = np.linalg.lstsq(design, values, rcond=None)
    variance = residual[0] / (len(values) - 2) * np.linalg.inv(design.T @ design)[1, 1]
    return fit[1], variance**0.5


def test_light_falls_by_the_chosen_stops_from_rich_to_poor():
    for illumination in (0.0, 1.0, 3.0):
        scenes = planted_scenes(2050, seed=0, size=16, illumination=illumination)
        measured, error = slope(scenes, scenes.extras["stops"])
        assert measured == pytest.approx(-illumination, abs=4 * error)
        assert scenes.extras["stops"].std() > 0.2


def test_clutter_grows_by_the_chosen_number_of_pieces():
    for clutter in (0.0, 4.0, 10.0):
        scenes = planted_scenes(2050, seed=1, size=16, clutter=clutter)
        measured, error = slope(scenes, scenes.extras["clutter"])
        assert measured == pytest.approx(-clutter, abs=4 * error)


def test_the_images_are_as_bright_as_the_stops_say():
    scenes = planted_scenes(400, seed=2, size=24, illumination=3.0, clutter=0.0)
    brightness = scenes.images.mean((1, 2, 3)).log2()
    together = torch.corrcoef(torch.stack([brightness, -scenes.extras["stops"]]))[0, 1]
    assert together > 0.9


def test_strengths_change_neither_objects_nor_countries():
    plain = planted_scenes(100, seed=3, size=16, illumination=0.0, clutter=0.0)
    strong = planted_scenes(100, seed=3, size=16)
    assert torch.equal(plain.labels, strong.labels)
    assert torch.equal(plain.groups["country"], strong.groups["country"])
    assert not torch.equal(plain.images, strong.images)


def test_countries_and_objects_are_balanced_unless_weights_say_otherwise():
    scenes = planted_scenes(41 * 12, seed=4, size=16)
    assert torch.bincount(scenes.groups["country"]).tolist() == [12] * 41
    assert torch.bincount(scenes.labels).tolist() == [82] * 6
    weighted = planted_scenes(
        103, seed=4, size=16, countries=["India", "Sweden", "Burundi"], weights=[1, 2, 7]
    )
    assert weighted.group_names["country"] == ("Burundi", "India", "Sweden")
    assert torch.bincount(weighted.groups["country"]).tolist() == [71, 11, 21]


def test_incomes_are_those_of_the_countries():
    scenes = planted_scenes(82, seed=5, size=16)
    table = country_incomes().set_index("country")["gdp_per_person"]
    for index, income in zip(
        scenes.groups["country"].tolist(), scenes.extras["income"].tolist(), strict=True
    ):
        assert income == table[scenes.group_names["country"][index]]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first, again, other = (planted_scenes(45, seed=seed, size=16) for seed in (0, 0, 1))
    assert first.card.sha256 == again.card.sha256 != other.card.sha256
    assert torch.equal(first.images, again.images)


def test_the_loader_gives_the_same_scenes_whatever_the_limit():
    few, more = (load("country_scenes", split="test", limit=limit) for limit in (5, 150))
    assert torch.equal(few.images, more.images[:5]) and torch.equal(
        few.extras["stops"], more.extras["stops"][:5]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"countries": ["India", "Atlantis"]},
            "countries: expected names from country_incomes.*got 'Atlantis'",
        ),
        ({"countries": ["India"]}, "countries: expected at least two, each once"),
        ({"countries": ["India", "Kenya", "India"]}, "countries: expected at least two, each once"),
        ({"n": 40}, "n: expected a finite number >= 41"),
        ({"illumination": -1.0}, "illumination: expected a finite number >= 0"),
        ({"clutter": 13.0}, "clutter: expected .* <= 12"),
        ({"weights": [1.0, 2.0]}, r"weights: expected one per country \(41\), got 2"),
        ({"weights": [0.0] * 41}, "weights: expected finite numbers > 0"),
    ],
)
def test_requests_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        planted_scenes(**{"n": 82, "seed": 0, "size": 16, **options})


def test_countries_given_as_one_text_are_refused():
    with pytest.raises(TypeError, match="countries: expected a sequence of names, got the text 'India'"):
        planted_scenes(82, seed=0, countries="India")
