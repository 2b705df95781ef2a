"""GANs from the cache: each class once, dead ones tried again, interrupted ones resumed."""

from importlib import import_module

import pytest
import torch

from blindspots.latent_models.trained_gans import trained_gans
from blindspots.seeding import generator

# The package has functions of the names of its modules.
loop = import_module("blindspots.latent_models.train_wgan")
module = import_module("blindspots.latent_models.trained_gans")

PLACES = torch.randint(1, 7, (40,), generator=generator(0))
LABELS = torch.arange(40) % 3
IMAGES = torch.zeros(40, 1, 8, 8)
for image, label, place in zip(IMAGES, LABELS, PLACES, strict=True):
    (image[0, :, place] if label == 0 else image[0, place]).fill_(1.0)
SMALL = {"latent_size": 4, "widths": (8, 8), "critic": "strided", "critic_width": 4, "steps": 6, "critic_steps": 1}
LATENTS = torch.randn(4, 4, generator=generator(1))


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """So few steps leave every generator with little spread: only those that are closed count here."""
    monkeypatch.setattr(loop, "_DEAD", 1e-6)
    monkeypatch.setattr(loop, "_CLOSED", 1e-6)


@pytest.fixture
def trainings(monkeypatch):
    calls, train = [], module.train_wgan

    def counted(*arguments, **options):
        calls.append(train(*arguments, **options))
        return calls[-1]

    counted.__wrapped__ = train  # the cache's key reads the source of what is wrapped
    monkeypatch.setattr(module, "train_wgan", counted)
    return calls


def trained(directory, images=IMAGES, **options):
    settings = SMALL | {"n_classes": 3, "batch_size": 8, "seed": 0} | options
    return trained_gans(images, LABELS, progress=False, directory=directory, **settings)


def decoded(family, label=1):
    return family.decode(LATENTS, torch.full((4,), label))


def test_classes_are_trained_once_and_dead_generators_again(tmp_path, trainings):
    family, reports = trained(tmp_path)
    assert family.classes == (0, 1, 2) and [report.label for report in reports] == [0, 1, 2]
    assert len(trainings) == sum(report.attempts for report in reports) > 3  # with this seed some are closed
    assert not any(report.training.dead for report in reports)
    assert sum(training.dead for training in trainings) == len(trainings) - 3
    done = len(trainings)
    again, repeated = trained(tmp_path)
    two, _ = trained(tmp_path, classes=(1, 2))
    assert len(trainings) == done and repeated == reports
    assert torch.equal(decoded(family), decoded(again)) and torch.equal(decoded(family), decoded(two))
    assert two.classes == (1, 2)
    assert not any(part.requires_grad for part in family.parameters()) and not family.training
    assert not list(tmp_path.rglob("*.progress"))


def test_a_class_whose_attempts_all_die_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "_BORN_DEAD", 10.0)
    with pytest.warns(UserWarning, match="class 1: 2 attempts gave dead generators"):
        _, reports = trained(tmp_path, classes=(1,), attempts=2)
    assert reports[0].attempts == 2 and reports[0].training.dead


def test_an_interrupted_training_is_resumed(tmp_path, monkeypatch):
    whole, _ = trained(tmp_path / "whole", classes=(1,))
    keep, steps = loop.keep_state, []

    def keep_and_stop(*arguments):
        keep(*arguments)
        steps.append(arguments[2]["steps"])
        if steps[-1] == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "keep_state", keep_and_stop)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, classes=(1,))
    assert list(tmp_path.rglob("*.progress"))
    resumed, _ = trained(tmp_path, classes=(1,))
    assert steps == [1, 2, 3, 4, 5]
    assert torch.equal(decoded(resumed), decoded(whole))
    assert not list(tmp_path.rglob("*.progress"))


def test_the_encoder_network_is_trained_once(tmp_path, monkeypatch):
    calls, train = [], module.train_encoder

    def counted(*arguments, **options):
        calls.append(options)
        return train(*arguments, **options)

    counted.__wrapped__ = train
    monkeypatch.setattr(module, "train_encoder", counted)
    options = {"classes": (1, 2), "encoder": "network", "encoder_pairs": 64, "encoder_epochs": 1}
    images, labels = IMAGES[LABELS == 1], torch.ones(13, dtype=torch.long)
    first, again = (trained(tmp_path, **options)[0] for _ in range(2))
    assert len(calls) == 1 and calls[0]["classes"] == [1, 2]
    assert torch.equal(first.encode(images, labels), again.encode(images, labels))
    trained(tmp_path, **(options | {"encoder_pairs": 128}))
    trained(tmp_path, **(options | {"encoder_epochs": 2}))
    assert len(calls) == 3
    refined, _ = trained(tmp_path, **(options | {"encoder": "refined"}), encode_steps=3)
    assert len(calls) == 3 and refined.refine and not first.refine
    by_descent, _ = trained(tmp_path, classes=(1, 2), encode_steps=3)
    assert by_descent.encoder is None
    found = by_descent.encode(images, labels)
    for other in ({"encode_steps": 4}, {"encode_restarts": 1}):
        family, _ = trained(tmp_path, **({"classes": (1, 2), "encode_steps": 3} | other))
        assert not torch.equal(family.encode(images, labels), found)


@pytest.mark.parametrize(
    "options",
    [{"steps": 5}, {"critic_steps": 2}, {"batch_size": 4}, {"learning_rate": 1e-2}, {"averaging": 0.5}, {"seed": 1},
     {"critic_width": 8}, {"critic": "paper"}, {"widths": (4, 8)}, {"latent_size": 5}, {"attempts": 9},
     {"images": IMAGES.flip(2)}, {"data_sha256": "00ff"}],
)  # fmt: skip
def test_whatever_differs_is_trained_anew(options, tmp_path, trainings):
    trained(tmp_path, classes=(1,))
    done = len(trainings)
    trained(tmp_path, **({"classes": (1,)} | options))
    assert len(trainings) > done


def test_bad_input_is_refused(tmp_path):
    for options, message in (
        ({"classes": (3,)}, "classes: expected labels with at least 2 images"), ({"critic": "large"}, "critic"),
        ({"encoder": "none"}, "encoder"), ({"attempts": 0}, "attempts"), ({"images": IMAGES + 1}, "images"),
        ({"images": IMAGES[:, :, :6]}, "images: expected square"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            trained(tmp_path, **options)
    assert not list(tmp_path.iterdir())
