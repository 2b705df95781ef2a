"""The crop ensemble: averages known in closed form, and a model left as it was."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from blindspots.purify import crop_ensemble
from blindspots.seeding import generator


class Mean(nn.Module):
    """Two classes: the second one's logit is the image's mean."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.drop = nn.Dropout(0.5)

    def forward(self, images):
        self.seen.append(images)
        mean = self.drop(images.mean(dim=(1, 2, 3)))
        return torch.stack([torch.zeros_like(mean), mean], dim=1)


def test_crops_as_large_as_the_image_leave_the_models_probabilities(draw):
    images, model = draw(3, 2, 9, 7), Mean().eval()
    expected = model(images).softmax(1)
    torch.testing.assert_close(crop_ensemble(images, model, n_crops=4, crop_share=1, generator=generator(0)), expected)


def test_a_flat_image_has_the_same_answer_whatever_is_cropped():
    image = torch.full((1, 1, 16, 16), 0.7, dtype=torch.float64)
    answer = crop_ensemble(image, Mean().eval(), generator=generator(0))
    torch.testing.assert_close(answer, torch.tensor([[0.0, 0.7]], dtype=torch.float64).softmax(1))


def test_crops_are_those_of_the_image_enlarged(draw):
    # Share 0.5 of 8 x 6 pixels: 4 x 3 crops at 5 x 4 places.
    image, model = draw(1, 1, 8, 6), Mean().eval()
    crop_ensemble(image, model, n_crops=200, crop_share=0.5, generator=generator(0))
    places = {
        (top, left): F.interpolate(image[..., top : top + 4, left : left + 3], size=(8, 6), mode="bilinear")
        for top in range(5)
        for left in range(4)
    }
    found = [[place for place, crop in places.items() if torch.equal(crop, seen)] for seen in model.seen]
    assert all(len(match) == 1 for match in found)
    assert {match[0] for match in found} == set(places), "200 draws reach all 20 places"


def test_the_side_of_a_crop_is_the_papers_share():
    image, model = torch.rand(1, 1, 224, 224, generator=generator(0)), Mean().eval()
    crop_ensemble(image, model, n_crops=1, generator=generator(1))
    windows = image.unfold(2, 90, 1).unfold(3, 90, 1)
    enlarged = model.seen[0]
    corners = enlarged[..., 0, 0], enlarged[..., -1, -1]
    matches = (windows[..., 0, 0] == corners[0]) & (windows[..., -1, -1] == corners[1])
    assert matches.sum() == 1


def test_probabilities_are_averaged_not_logits(draw):
    images, model = draw(2, 1, 12, 12), Mean().eval()
    answer = crop_ensemble(images, model, n_crops=5, generator=generator(2))
    by_hand = torch.stack([model(seen).softmax(1) for seen in model.seen[:5]]).mean(0)
    torch.testing.assert_close(answer, by_hand)
    torch.testing.assert_close(answer.sum(1), torch.ones(2, dtype=torch.float64))


def test_the_first_image_of_a_batch_gets_what_it_gets_alone(draw):
    images, model = draw(3, 1, 12, 12), Mean().eval()
    together = crop_ensemble(images, model, generator=generator(3))
    torch.testing.assert_close(crop_ensemble(images[:1], model, generator=generator(3)), together[:1])


def test_the_seed_decides_and_every_option_matters(draw):
    images, model = draw(1, 1, 12, 12), Mean().eval()
    base = crop_ensemble(images, model, generator=generator(0))
    assert torch.equal(base, crop_ensemble(images, model, generator=generator(0)))
    for options in (dict(n_crops=3), dict(crop_share=0.8)):
        assert not torch.equal(base, crop_ensemble(images, model, generator=generator(0), **options)), options
    assert not torch.equal(base, crop_ensemble(images, model, generator=generator(1)))


def test_model_and_images_are_left_as_they_were(draw):
    model, images = Mean().train(), draw(1, 1, 8, 8)
    before = images.clone()
    answer = crop_ensemble(images.requires_grad_(True), model, n_crops=2, generator=generator(0))
    assert model.training and model.drop.training
    assert not answer.requires_grad and images.grad is None and torch.equal(images, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(n_crops=0), "n_crops: expected a finite number >= 1"),
        (dict(crop_share=0), "crop_share: expected a finite number > 0 and <= 1"),
        (dict(crop_share=1.5), "crop_share: expected"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        crop_ensemble(draw(1, 1, 4, 4), Mean(), generator=generator(0), **options)


def test_a_model_without_logits_is_named(draw):
    with pytest.raises(ValueError, match=r"model: expected logits \(1, K\)"):
        crop_ensemble(draw(1, 1, 4, 4), lambda images: images, generator=generator(0))
