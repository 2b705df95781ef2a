"""GeoDE in the layout of its release, drawn by the test."""

import pytest
import torch
from PIL import Image

from blindspots.data import load

from .conftest import noise

COUNTRIES = ["Nigeria", "South_Korea", "Romania", "Venezuela"]
OBJECTS = ["bag", "bicycle", "spices"]


@pytest.fixture
def geode(tmp_path):
    """Sixty photographs of different shapes, one in four from a country without an income."""
    folder = tmp_path / "geode" / "images"
    folder.mkdir(parents=True)
    lines = ["file_path,object,region,ip_country"]
    for n in range(60):
        name = f"{COUNTRIES[n % 4]}_{OBJECTS[n % 3]}_{n}.jpg"
        Image.fromarray(noise(n, 20 + n % 3, 24, 3)).save(folder / name)
        lines.append(
            f"{name},{OBJECTS[n % 3]},{('Africa', 'EastAsia', 'Europe', 'Americas')[n % 4]},{COUNTRIES[n % 4]}"
        )
    (tmp_path / "geode" / "index.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_every_photograph_with_an_income_is_in_one_split(geode):
    parts = [load("geode", split=split, size=8, data_root=geode) for split in ("train", "validation", "test")]
    assert sum(len(part) for part in parts) == 45
    everything = torch.cat([part.images for part in parts]).flatten(1)
    assert len(everything.unique(dim=0)) == 45
    assert any("no income known for Venezuela" in note for note in parts[0].card.notes)
    for part in parts:
        assert part.class_names == tuple(OBJECTS)
        assert part.group_names["country"] == ("Nigeria", "Romania", "South_Korea")
        assert part.extras["income"][part.groups["country"] == 1].unique().tolist() == [13047.0]


def test_rows_do_not_stand_in_the_tables_order_and_a_limit_is_the_start(geode):
    whole, few = (load("geode", split="train", size=8, limit=limit, data_root=geode) for limit in (None, 5))
    assert torch.equal(few.images, whole.images[:5])
    pattern = [(n % 3) for n in range(60)]
    assert whole.labels.tolist() != pattern[: len(whole)]


def test_an_earlier_release_is_explained(geode):
    file = geode / "geode" / "index.csv"
    file.write_text(file.read_text().replace("object", "script_name"))
    with pytest.raises(ValueError, match="geode: expected the columns object, region, ip_country, file_path"):
        load("geode", split="train", data_root=geode)


def test_a_missing_photograph_is_named(geode):
    for file in (geode / "geode" / "images").glob("Romania*"):
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"photographs below .* fewer, for instance no .*Romania"):
        load("geode", split="train", data_root=geode)


def test_an_empty_table_is_refused(geode):
    (geode / "geode" / "index.csv").write_text("file_path,object,region,ip_country\n")
    with pytest.raises(ValueError, match="expected at least one photograph"):
        load("geode", split="train", data_root=geode)
