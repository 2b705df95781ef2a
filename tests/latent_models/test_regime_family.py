"""The family of classifiers: every member, in order, from its start, and once only."""

import pytest
import torch

from blindspots.latent_models import regime_family as module
from blindspots.latent_models.regime_family import trained_regimes
from blindspots.seeding import generator

DRAWS = generator(0)
IMAGES = torch.rand(24, 1, 16, 16, generator=DRAWS)
LABELS = (IMAGES[:, 0, :8].mean((1, 2)) > IMAGES[:, 0, 8:].mean((1, 2))).long()
SMALL = {"widths": (4, 4), "dropout": (0.1, 0.1), "epochs": 1, "batch_size": 12, "seed": 0}


@pytest.fixture
def trainings(monkeypatch):
    """Note the regimes that are really trained, and with which first weights."""
    calls, train = [], module.train_regime

    def noted(model, *arguments, **options):
        calls.append((options["regime"], model(IMAGES).detach().clone()))
        return train(model, *arguments, **options)

    noted.__wrapped__ = train  # the cache's key reads the source of what is wrapped
    monkeypatch.setattr(module, "train_regime", noted)
    return calls


def family(directory, images=IMAGES, **options):
    settings = SMALL | {"n_classes": 2, "validation": (images[:8], LABELS[:8])} | options
    return trained_regimes(images, LABELS, progress=False, directory=directory, **settings)


def test_later_regimes_start_from_earlier_ones_and_the_second_call_trains_nothing(tmp_path, trainings):
    regimes = ("robust", "plain", "both")
    first = family(tmp_path, regimes=regimes, units=(1, 0))
    assert list(first) == [(regime, unit) for unit in (1, 0) for regime in regimes]
    assert [name for name, _ in trainings] == ["plain", "robust", "conventional", "both"] * 2
    starts = {(name, index // 4): logits for index, (name, logits) in enumerate(trainings)}
    assert torch.equal(starts["robust", 0], first["plain", 1].model(IMAGES))
    assert torch.equal(starts["plain", 0], starts["conventional", 0])  # models of one unit share their first weights
    again = family(tmp_path, regimes=regimes, units=(1, 0))
    assert len(trainings) == 8
    for key, member in first.items():
        assert (member.regime, member.unit) == key
        assert torch.equal(member.model(IMAGES), again[key].model(IMAGES))
        assert member.training == again[key].training
        assert not member.model.training and not any(part.requires_grad for part in member.model.parameters())


def test_all_fifteen_are_the_default(tmp_path):
    assert len(family(tmp_path, epoch_size=12)) == 15


@pytest.mark.parametrize(
    "options",
    [{"seed": 1}, {"epochs": 2}, {"epoch_size": 12}, {"batch_size": 6}, {"learning_rate": 1e-3}, {"decay": 0.5},
     {"weight_decay": 0.1}, {"sigma": 0.1}, {"augmentation": {"degrees": 5.0}}, {"widths": (4, 5)},
     {"dropout": (0.2, 0.1)}, {"pad": 2}, {"images": IMAGES.flip(3)}, {"data_sha256": "00ff"},
     {"validation": (IMAGES[8:], LABELS[8:])}],
)  # fmt: skip
def test_whatever_differs_is_trained_anew(options, tmp_path, trainings):
    family(tmp_path, regimes=("plain",), units=(0,))
    family(tmp_path, **({"regimes": ("plain",), "units": (0,)} | options))
    assert len(trainings) == 2


def test_bad_input_is_refused_before_any_work(tmp_path, trainings):
    with pytest.raises(ValueError, match="regimes: expected one of"):
        family(tmp_path, regimes=("plain", "adversarial"))
    with pytest.raises(ValueError, match="regimes: expected at least one"):
        family(tmp_path, units=())
    with pytest.raises(ValueError, match="unit: expected 0, 1 or 2"):
        family(tmp_path, units=(3,))
    with pytest.raises(ValueError, match="sigma"):
        family(tmp_path, sigma=-1.0)
    assert not trainings and not list(tmp_path.iterdir())
