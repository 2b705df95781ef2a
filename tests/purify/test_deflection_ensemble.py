"""The ensemble of pixel deflection: its average by hand, and the model as it was."""

import pytest
import torch
from torch import nn

from blindspots.purify import deflection_ensemble, pixel_deflection
from blindspots.seeding import generator


class Corner(nn.Module):
    """Two classes; the second one's logit is that of the first pixels."""

    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, images):
        score = self.drop(8 * images[..., :3, :3].mean(dim=(1, 2, 3)))
        return torch.stack([torch.zeros_like(score), score], dim=1)


def test_probabilities_are_averaged_over_runs_of_pixel_deflection(draw):
    images, model, draws = draw(2, 3, 12, 12), Corner().eval(), generator(4)
    by_hand = torch.stack([model(pixel_deflection(images, generator=draws)).softmax(1) for _ in range(5)])
    assert (by_hand[0] - by_hand[1]).abs().max() > 1e-4, "the runs differ"
    answer = deflection_ensemble(images, model, n_runs=5, generator=generator(4))
    torch.testing.assert_close(answer, by_hand.mean(0))
    torch.testing.assert_close(answer.sum(1), torch.ones(2, dtype=torch.float64))


def test_a_flat_image_has_its_own_answer():
    image, model = torch.full((1, 1, 16, 16), 0.3, dtype=torch.float64), Corner().eval()
    torch.testing.assert_close(deflection_ensemble(image, model, generator=generator(0)), model(image).softmax(1))


def test_runs_narrow_the_spread(draw):
    # An average of 16 independent runs has a quarter of the spread of one; half is asked for.
    images, model = draw(1, 1, 12, 12), Corner().eval()

    def spread(n_runs):
        return torch.stack(
            [deflection_ensemble(images, model, n_runs=n_runs, generator=generator(seed)) for seed in range(60)]
        ).std(0)[0, 0]

    assert spread(16) < 0.5 * spread(1)


def test_the_seed_decides_and_every_option_matters(draw):
    images, model = draw(1, 3, 12, 12), Corner().eval()

    def answer(seed=0, **options):
        return deflection_ensemble(images, model, generator=generator(seed), **(dict(n_runs=2) | options))

    base = answer()
    assert torch.equal(base, answer()) and not torch.equal(base, answer(seed=1))
    activation = torch.zeros(1, 12, 12, dtype=torch.float64)
    activation[:, :6] = 0.9
    for options in (
        dict(n_runs=3), dict(deflections=50), dict(window=3), dict(sigma=0.2), dict(sigma=0.2, sigma_units="image"),
        dict(activation=activation),
    ):  # fmt: skip
        assert not torch.equal(base, answer(**options)), options
    assert not torch.equal(answer(sigma=0.2), answer(sigma=0.2, sigma_units="image"))


def test_model_and_images_are_left_as_they_were(draw):
    model, images = Corner().train(), draw(1, 1, 8, 8)
    before = images.clone()
    answer = deflection_ensemble(images.requires_grad_(True), model, n_runs=2, generator=generator(0))
    assert model.training and model.drop.training
    assert not answer.requires_grad and torch.equal(images, before)


def test_bad_arguments_are_named(draw):
    with pytest.raises(ValueError, match="n_runs: expected a finite number >= 1"):
        deflection_ensemble(draw(1, 1, 4, 4), Corner(), n_runs=0, generator=generator(0))
    with pytest.raises(ValueError, match=r"model: expected logits \(1, K\)"):
        deflection_ensemble(draw(1, 1, 4, 4), lambda images: images, generator=generator(0))
