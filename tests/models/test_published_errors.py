"""torchvision's published errors: its own metadata, a year for every family."""

import pytest
from torchvision import models

from blindspots.models import published_errors


def test_the_errors_are_those_of_the_metadata():
    table = published_errors()
    row = table[(table["architecture"] == "resnet101") & table["first"]].iloc[0]
    metrics = models.ResNet101_Weights.IMAGENET1K_V1.meta["_metrics"]["ImageNet-1K"]
    assert row["error"] == pytest.approx(100 - metrics["acc@1"])
    assert row["top5_error"] == pytest.approx(100 - metrics["acc@5"])
    assert (row["size"], row["year"], row["weights"]) == (224, 2015, "IMAGENET1K_V1")
    assert row["recipe"] == models.ResNet101_Weights.IMAGENET1K_V1.meta["recipe"]


def test_every_architecture_has_a_year_and_first_weights():
    table = published_errors()
    assert table["year"].notna().all() and table["year"].between(2012, 2023).all()
    assert (table.groupby("architecture")["first"].sum() == 1).all()
    assert set(models.list_models(module=models)) == set(table["architecture"])


def test_errors_are_percentages_and_the_top_five_err_less():
    table = published_errors()
    assert table["error"].between(5, 60).all() and (table["top5_error"] < table["error"]).all()


def test_weights_without_a_stated_accuracy_are_left_out():
    vgg = published_errors().query("architecture == 'vgg16'")
    assert vgg["weights"].tolist() == ["IMAGENET1K_V1"]
