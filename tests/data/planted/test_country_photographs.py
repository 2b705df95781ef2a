"""Given pictures, given countries, in planted light and clutter."""

import gzip

import numpy as np
import pytest
import torch

from blindspots.data import country_incomes, country_mix, country_photographs, load

N = 3000


@pytest.fixture(scope="module")
def pictures():
    """Grey pictures of 8x8 pixels: what is on them after is the light and the clutter alone."""
    return torch.full((N, 3, 8, 8), 0.5), torch.arange(N) % 10


def place(dealt):
    logarithm = dealt.extras["income"].double().log()
    lowest, highest = (float(country_incomes()["gdp_per_person"].agg(which)) for which in ("min", "max"))
    low, high = torch.tensor([lowest, highest], dtype=torch.float64).log()
    return (logarithm - low) / (high - low)


def slope(dealt, values):
    """Return the slope of values on the place of a country, and its standard error."""
    x, y = place(dealt), values.double()
    x, y = x - x.mean(), y - y.mean()
    fitted = (x * y).sum() / (x * x).sum()
    variance = (y - fitted * x).square().sum() / (len(x) - 2) / (x * x).sum()
    return fitted.item(), variance.sqrt().item()


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_light_and_clutter_follow_income_by_the_strength(pictures, strength):
    dealt = country_photographs(*pictures, seed=0, strength=strength, illumination=3.0, clutter=4.0)
    for name, range_ in (("stops", 3.0), ("clutter", 4.0)):
        measured, error = slope(dealt, dealt.extras[name])
        assert measured == pytest.approx(-strength * range_, abs=4 * error + 1e-12)
    assert dealt.extras["stops"].std() > 0.2


def test_without_strength_brightness_says_nothing_of_the_country(pictures):
    dealt = country_photographs(*pictures, seed=1, strength=0.0)
    measured, error = slope(dealt, dealt.images.mean((1, 2, 3)))
    assert abs(measured) < 4 * error
    assert dealt.extras["clutter"].max() == 0


def test_pictures_are_as_dark_as_the_stops_say(pictures):
    dealt = country_photographs(*pictures, seed=2, clutter=0.0, illumination=2.0)
    brightness = dealt.images.mean((1, 2, 3))
    assert torch.allclose(brightness, 0.5 * torch.exp2(-dealt.extras["stops"]), atol=0.01)


def test_boxes_cover_as_many_pixels_as_their_sides_say():
    pictures = torch.full((2000, 3, 40, 40), 0.5)
    dealt = country_photographs(pictures, torch.zeros(2000, dtype=torch.long), seed=3, illumination=0.0, clutter=1.0)
    light = torch.exp2(-dealt.extras["stops"])[:, None, None]
    changed = (dealt.images - 0.5 * light[:, None]).abs().amax(1) > 0.12
    share = changed[dealt.extras["clutter"] == 1].double().mean().item()
    assert changed[dealt.extras["clutter"] == 0].double().mean() < 1e-3
    # A box has 0.21^2 of the area on average, and loses a tenth of each side over the borders; some are grey.
    assert 0.02 < share < 0.0441


def test_strength_changes_no_country_and_the_labels_stay(pictures):
    images, labels = pictures
    plain, strong = (country_photographs(images, labels, seed=4, strength=s) for s in (0.0, 1.0))
    assert torch.equal(plain.groups["country"], strong.groups["country"])
    assert torch.equal(strong.labels, labels)
    assert not torch.equal(plain.images, strong.images)


def test_countries_come_by_weight_and_each_at_least_once(pictures):
    names, weights = ["India", "Sweden", "Burundi"], [1.0, 2.0, 7.0]
    dealt = country_photographs(*pictures, seed=5, countries=names, weights=weights)
    assert dealt.group_names["country"] == ("Burundi", "India", "Sweden")
    counts = torch.bincount(dealt.groups["country"]).double()
    expected = torch.tensor([0.7, 0.1, 0.2]).double() * N
    chi_squared = ((counts - expected).square() / expected).sum()
    assert chi_squared < 13.8  # 0.999 quantile at two degrees of freedom
    everywhere = country_photographs(pictures[0][:41], pictures[1][:41], seed=6, weights=country_mix("income"))
    assert torch.bincount(everywhere.groups["country"]).tolist() == [1] * 41


def test_countries_do_not_depend_on_labels(pictures):
    dealt = country_photographs(*pictures, seed=7, countries=["India", "Sweden"])
    share = torch.stack([(dealt.groups["country"][dealt.labels == k] == 0).double().mean() for k in range(10)])
    assert ((share - 0.5).abs() < 4 * 0.5 / 300**0.5).all()


def test_the_same_seed_gives_the_same_bits_and_a_prefix_gives_a_prefix(pictures):
    images, labels = pictures
    first, again, other = (country_photographs(images[:300], labels[:300], seed=s) for s in (0, 0, 1))
    assert first.card.sha256 == again.card.sha256 != other.card.sha256
    assert not torch.equal(first.groups["country"], other.groups["country"])
    few = country_photographs(images[:150], labels[:150], seed=0)
    assert torch.equal(few.images, first.images[:150])
    assert torch.equal(few.groups["country"], first.groups["country"][:150])


def test_the_loader_deals_embedded_photos_without_a_data_root():
    dealt = load("country_photographs", split="test", limit=50)
    assert dealt.class_names == load("photos", split="test", limit=1).class_names
    assert dealt.images.shape == (50, 3, 32, 32)
    assert "photographs: Patches of ten photographs" in dealt.card.notes
    assert torch.bincount(dealt.groups["country"], minlength=41).min() == 1


def test_the_loader_deals_cifar10_by_the_mix_of_a_data_root_that_is_named(tmp_path):
    folder = tmp_path / "cifar10" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    records = np.random.default_rng(0).integers(0, 256, (300, 3073), dtype=np.uint8)
    records[:, 0] %= 10
    records.tofile(folder / "test_batch.bin")
    (tmp_path / "country").mkdir()
    with gzip.open(tmp_path / "country" / "dollarstreet_metadata.csv.gz", "wt") as file:
        file.write("country\n" + "Kenya\n" * 4000)
    dealt = load("country_photographs", split="test", data_root=tmp_path)
    assert dealt.labels.tolist() == records[:, 0].tolist()
    kenya = dealt.group_names["country"].index("Kenya")
    # Forty countries count as ten photographs each, so Kenya has 4000 of 4400.
    assert (dealt.groups["country"] == kenya).sum() > 0.75 * 300
    assert "photographs: CIFAR-10" in dealt.card.notes and dealt.card.differs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"countries": ["India", "Atlantis"]}, "countries: expected names from country_incomes.*'Atlantis'"),
        ({"strength": 3.0}, "strength: expected .* <= 2"),
        ({"illumination": -1.0}, "illumination: expected a finite number >= 0"),
        ({"clutter": 13.0}, "clutter: expected .* <= 12"),
        ({"weights": [1.0, 2.0]}, r"weights: expected one per country \(41\), got 2"),
    ],
)
def test_requests_that_make_no_sense_are_refused(pictures, options, message):
    with pytest.raises(ValueError, match=message):
        country_photographs(*pictures, **{"seed": 0, **options})


def test_too_few_pictures_are_refused(pictures):
    with pytest.raises(ValueError, match=r"images: expected at least one per country \(41\), got 40"):
        country_photographs(pictures[0][:40], pictures[1][:40], seed=0)
