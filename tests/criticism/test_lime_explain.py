"""LIME: the weights of a linear model, the lime package, the definition, laws, messages."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from blindspots.criticism import lime_explain
from blindspots.criticism.hidden_images import hiding_fill
from blindspots.seeding import generator


def masks_for(segments, n, seed=0):
    masks = torch.rand(n, int(segments.max()) + 1, generator=generator(seed, "masks")) < 0.5
    masks[0] = True
    return masks


def numpy_classifier(model):
    """Return probabilities (n, K) for images (n, H, W, C), as the lime package asks for."""
    return lambda images: model(torch.from_numpy(images).permute(0, 3, 1, 2)).softmax(dim=1).numpy()


def true_weights(photograph, segments, linear_weights, hide):
    change = linear_weights * (photograph - hiding_fill(photograph, segments, hide))
    return torch.stack([change[:, :, segments == s].sum(dim=(1, 2)) for s in range(int(segments.max()) + 1)], dim=1)


@pytest.mark.parametrize("hide", ["mean", 0.0])
@pytest.mark.parametrize("distance", ["rms", "cosine"])
def test_a_linear_model_is_explained_by_its_weights(photograph, segments, linear_model, linear_weights, hide, distance):
    found = lime_explain(
        linear_model,
        photograph,
        segments=segments,
        n_samples=200,
        generator=generator(0),
        hide=hide,
        distance=distance,
        output="logits",
    )
    expected = true_weights(photograph, segments, linear_weights, hide)
    torch.testing.assert_close(found.weights, expected, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.scores, torch.ones_like(found.scores), rtol=0, atol=1e-9)
    torch.testing.assert_close(found.intercepts + found.weights.sum(1), found.outputs, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.outputs, linear_model(photograph[None])[0], rtol=0, atol=1e-12)
    assert found.determined


def test_the_penalty_pulls_a_linear_model_towards_zero(photograph, segments, linear_model, linear_weights):
    given = {"segments": segments, "masks": masks_for(segments, 200), "output": "logits"}
    norms = [
        lime_explain(linear_model, photograph, ridge=ridge, **given).weights.norm().item() for ridge in (0.0, 1.0, 10.0)
    ]
    assert norms[0] > norms[1] > norms[2] > 0


@pytest.mark.parametrize("n_features", [None, 8, 4])
@pytest.mark.parametrize("hide", ["mean", 0.5])
def test_library_mode_equals_the_lime_package(photograph, segments, linear_model, n_features, hide):
    lime_image = pytest.importorskip("lime.lime_image", reason="the lime package is an extra ([oracles])")
    n_superpixels = int(segments.max()) + 1
    # the package draws its masks from this stream before anything else
    drawn = np.random.RandomState(5).randint(0, 2, 150 * n_superpixels).reshape(150, n_superpixels)
    drawn[0] = 1
    peer = lime_image.LimeImageExplainer(random_state=5).explain_instance(
        photograph.permute(1, 2, 0).numpy().copy(),
        numpy_classifier(linear_model),
        top_labels=4,
        hide_color=None if hide == "mean" else hide,
        num_features=n_features or 100_000,
        num_samples=150,
        segmentation_fn=lambda _: segments.numpy(),
        random_seed=0,
    )
    found = lime_explain(
        linear_model,
        photograph,
        segments=segments,
        masks=torch.from_numpy(drawn).bool(),
        mode="library",
        n_features=n_features,
        hide=hide,
    )
    for label in range(4):
        expected = torch.zeros(n_superpixels, dtype=torch.float64)
        for number, weight in peer.local_exp[label]:
            expected[number] = weight
        torch.testing.assert_close(found.weights_of(label), expected, rtol=0, atol=1e-6)
        assert found.intercepts[label].item() == pytest.approx(float(peer.intercept[label]), abs=1e-6)


def test_library_mode_equals_a_plain_weighted_ridge(photograph, segments, linear_model):
    masks = masks_for(segments, 90)
    fill = hiding_fill(photograph, segments)
    images = torch.stack([torch.where(mask[segments], photograph, fill) for mask in masks])
    outputs = linear_model(images).softmax(dim=1)
    distances = 1 - torch.nn.functional.cosine_similarity(masks.double(), masks[:1].double(), dim=1)
    weights = (-(distances**2) / 0.25**2).exp().sqrt()
    found = lime_explain(linear_model, photograph, segments=segments, masks=masks, mode="library")
    for label in range(4):
        peer = Ridge(alpha=1.0).fit(masks.double().numpy(), outputs[:, label].numpy(), sample_weight=weights.numpy())
        torch.testing.assert_close(found.weights_of(label), torch.from_numpy(peer.coef_), rtol=0, atol=1e-9)
    torch.testing.assert_close(found.sample_weights, weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("distance", ["rms", "pixels"])
def test_paper_mode_weighs_by_the_distance_of_the_images(photograph, segments, linear_model, distance):
    masks = masks_for(segments, 40)
    fill = hiding_fill(photograph, segments)
    images = torch.stack([torch.where(mask[segments], photograph, fill) for mask in masks])
    lengths = (images - photograph).flatten(1).norm(dim=1)
    if distance == "rms":
        lengths = lengths / photograph.numel() ** 0.5
    found = lime_explain(linear_model, photograph, segments=segments, masks=masks, distance=distance, sigma=3.0)
    torch.testing.assert_close(found.sample_weights, (-(lengths**2) / 9).exp(), rtol=0, atol=1e-12)


def test_the_letter_of_equation_5_leaves_one_sample(photograph, segments, linear_model):
    given = {"segments": segments, "masks": masks_for(segments, 200)}
    letter = lime_explain(linear_model, photograph, distance="pixels", **given)
    assert letter.effective_samples == pytest.approx(1.0, abs=1e-6) and not letter.determined
    assert letter.sample_weights[1:].max() < 1e-9
    scaled = lime_explain(linear_model, photograph, **given)
    assert scaled.effective_samples > 100 and scaled.determined


def test_the_paper_keeps_no_more_superpixels_than_asked(photograph, segments, linear_model):
    found = lime_explain(
        linear_model, photograph, segments=segments, masks=masks_for(segments, 150), n_features=8, output="logits"
    )
    assert (found.kept.sum(dim=1) <= 8).all() and (found.kept.sum(dim=1) >= 6).all()
    assert torch.equal(found.weights != 0, found.kept)


def test_all_classes_at_once_equal_one_class_at_a_time(photograph, segments, linear_model):
    given = {"segments": segments, "masks": masks_for(segments, 100)}
    for mode, n_features in (("paper", None), ("paper", 5), ("library", 5), ("library", 9)):
        options = given | {"mode": mode, "n_features": n_features}
        whole = lime_explain(linear_model, photograph, **options)
        one = lime_explain(linear_model, photograph, classes=torch.tensor([2]), **options)
        assert one.classes.tolist() == [2] and whole.classes.tolist() == [0, 1, 2, 3]
        torch.testing.assert_close(one.weights_of(2), whole.weights_of(2), rtol=0, atol=1e-12)
        assert one.outputs[0] == whole.outputs[2]


def test_the_size_of_batches_changes_nothing(photograph, segments, linear_model):
    given = {"segments": segments, "masks": masks_for(segments, 61)}
    sizes = []

    def counting(images):
        sizes.append(len(images))
        return linear_model(images)

    first, second = (lime_explain(counting, photograph, batch_size=size, **given) for size in (61, 9))
    assert sizes == [61] + [9] * 6 + [7]
    torch.testing.assert_close(first.weights, second.weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("side", "expected"), [(24, 50), (102, 50), (256, 8), (800, 1)])
def test_large_images_come_in_small_batches_on_a_cpu(side, expected):
    image = torch.rand(3, side, side, generator=generator(3))
    segments = torch.arange(side * side).view(side, side) % 5
    sizes = []

    def counting(images):
        sizes.append(len(images))
        return images[:, :, ::24, ::24].mean(dim=(2, 3))

    lime_explain(counting, image, segments=segments, masks=masks_for(segments, 60 if side < 800 else 3))
    assert max(sizes) == expected


def test_convolutions_get_the_order_of_channels_that_they_read_fastest(photograph, segments):
    seen = []

    def looking(images):
        seen.append(images.is_contiguous(memory_format=torch.channels_last))
        return images.mean(dim=(2, 3))

    lime_explain(looking, photograph, segments=segments, masks=masks_for(segments, 20))
    assert all(seen)


def test_a_model_that_returns_a_view_of_its_images_is_no_trap(photograph, segments):
    def view(images):
        return images.flatten(1)[:, 1000:1004]

    given = {"segments": segments, "masks": masks_for(segments, 60), "output": "logits"}
    first = lime_explain(view, photograph, batch_size=7, **given)
    second = lime_explain(lambda images: view(images).clone(), photograph, batch_size=7, **given)
    assert torch.equal(first.weights, second.weights)


def test_seeds_and_samples(photograph, segments, linear_model):
    def explained(seed, n_samples=50):
        return lime_explain(linear_model, photograph, segments=segments, n_samples=n_samples, generator=generator(seed))

    assert torch.equal(explained(0).weights, explained(0).weights)
    assert not torch.equal(explained(0).weights, explained(1).weights)
    assert explained(0).masks.shape == (50, int(segments.max()) + 1) and explained(0).masks[0].all()
    assert len(explained(0, 80).masks) == 80
    # every superpixel is shown in half of the samples: 2,000 x 20 draws, so within a few tenths of a percent
    assert explained(2, 2000).masks[1:].double().mean().item() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "option",
    [
        {"mode": "library"},
        {"sigma": 0.05},
        {"distance": "cosine"},
        {"selection": "highest_weights"},
        {"ridge": 1.0},
        {"intercept": False},
        {"hide": 0.0},
        {"output": "logits"},
        {"n_features": 3},
    ],
)
def test_every_option_changes_the_weights(photograph, segments, linear_model, option):
    given = {"segments": segments, "masks": masks_for(segments, 80), "n_features": 6}
    plain = lime_explain(linear_model, photograph, **given)
    assert not torch.allclose(plain.weights, lime_explain(linear_model, photograph, **(given | option)).weights)


def test_dtype_is_kept_and_model_and_image_are_left_alone(photograph, segments):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 5),
            torch.nn.BatchNorm2d(4),
            torch.nn.Dropout(0.5),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
        )
    model.train()
    image = photograph.float().requires_grad_(True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = lime_explain(model, image, segments=segments, masks=masks_for(segments, 30))
    assert found.weights.dtype == found.scores.dtype == torch.float32 and not found.weights.requires_grad
    assert model.training and image.grad is None
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_bad_input_is_named(photograph, segments, linear_model):
    masks = masks_for(segments, 20)
    plain = torch.full_like(photograph, 0.3)
    wrong_masks = masks.clone()
    wrong_masks[0, 2] = False
    cases = [
        (photograph[None], {}, "explain the images one by one"),
        (2 * photograph, {}, "expected values in"),
        (plain, {}, "one color in every superpixel"),
        (photograph, {"segments": torch.zeros_like(segments)}, "at least 2 superpixels, got 1"),
        (photograph, {"segments": segments + 1}, "renumber"),
        (photograph, {"segments": segments[:-1]}, "segments: expected the image's"),
        (photograph, {"segments": segments.double()}, "segments: expected an integer tensor"),
        (photograph, {"masks": masks[:, 1:]}, r"masks: expected shape"),
        (photograph, {"masks": masks.double()}, "masks: expected a bool tensor"),
        (photograph, {"masks": wrong_masks}, "the first to show the whole image"),
        (photograph, {"masks": None}, "generator: expected a torch.Generator"),
        (photograph, {"masks": None, "generator": generator(0), "n_samples": 1}, "n_samples"),
        (photograph, {"classes": torch.tensor([4])}, "classes: expected classes from 0 to 3"),
        (photograph, {"mode": "published"}, "mode: expected one of paper, library"),
        (photograph, {"distance": "l1"}, "distance"),
        (photograph, {"selection": "best"}, "selection"),
        (photograph, {"output": "labels"}, "output"),
        (photograph, {"sigma": 0.0}, "sigma"),
        (photograph, {"ridge": -1.0}, "ridge"),
        (photograph, {"n_features": 0}, "n_features"),
        (photograph, {"batch_size": 0}, "batch_size"),
    ]
    for image, options, message in cases:
        with pytest.raises((TypeError, ValueError), match=message):
            lime_explain(linear_model, image, **({"segments": segments, "masks": masks} | options))
    with pytest.raises(ValueError, match="expected logits"):
        lime_explain(lambda images: images, photograph, segments=segments, masks=masks)
    found = lime_explain(linear_model, photograph, segments=segments, masks=masks, classes=torch.tensor([1, 3]))
    with pytest.raises(ValueError, match=r"explained classes \[1, 3\], got 2"):
        found.weights_of(2)


def test_an_image_of_one_color_can_be_hidden_by_another(linear_model, segments, photograph):
    plain = torch.full_like(photograph, 0.3)
    found = lime_explain(linear_model, plain, segments=segments, masks=masks_for(segments, 100), hide=0.0)
    assert found.weights.abs().max() > 0
