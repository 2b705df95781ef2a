"""LIME for images: which superpixels speak for a class, as P4 writes it and as the lime package computes it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.criticism.hidden_images import hidden_images, hiding_fill
from blindspots.criticism.superpixel_selection import SELECTIONS, select_superpixels
from blindspots.criticism.superpixels import check_image, check_segments
from blindspots.criticism.weighted_fit import is_determined, weighted_fit, weighted_moments
from blindspots.types import Classifier

MODES = ("paper", "library")
DISTANCES = ("cosine", "rms", "pixels")
OUTPUTS = ("probabilities", "logits")
_INVISIBLE = 1e-6
_LARGEST_BATCH = 50
_PIXELS_ON_CPU = 2**19


@dataclass(frozen=True)
class Explanation:
    """Linear models of a classifier around one image, a row for each explained class.

    Attributes:
        classes: (M,), the classes explained.
        weights: (M, D), what showing a superpixel adds to the class's output; 0 if it is not kept.
        intercepts: (M,), the linear model's output with everything hidden.
        scores: (M,), the weighted R^2 of the linear models over the samples; NaN for an output that never changes.
        outputs: (M,), the classifier's output for the whole image.
        kept: (M, D), superpixels in the model of the class.
        segments: (H, W), the superpixels 0 to D - 1.
        masks: (n, D), the samples, True = shown; the first shows everything.
        sample_weights: (n,), how much each counts, at most 1.
        effective_samples: (sum w)^2 / sum w^2; near 1, a single sample decides everything.
        determined: whether the weighted samples alone fix every superpixel's weight.
    """

    classes: Int[Tensor, " M"]
    weights: Float[Tensor, "M D"]
    intercepts: Float[Tensor, " M"]
    scores: Float[Tensor, " M"]
    outputs: Float[Tensor, " M"]
    kept: Bool[Tensor, "M D"]
    segments: Int[Tensor, "H W"]
    masks: Bool[Tensor, "n D"]
    sample_weights: Float[Tensor, " n"]
    effective_samples: float
    determined: bool

    def weights_of(self, label: int) -> Float[Tensor, " D"]:
        """Return the weights (D,) of one explained class."""
        rows = (self.classes == label).nonzero().flatten()
        if not len(rows):
            raise ValueError(
                f"label: expected one of the explained classes {self.classes.tolist()}, got {label}; name it in classes"
            )
        return self.weights[int(rows[0])]


def lime_explain(
    model: Classifier,
    image: Tensor,
    *,
    segments: Tensor,
    n_samples: int = 1000,
    mode: str = "paper",
    n_features: int | None = None,
    classes: Tensor | None = None,
    masks: Tensor | None = None,
    generator: torch.Generator | None = None,
    sigma: float = 0.25,
    distance: str | None = None,
    selection: str | None = None,
    ridge: float | None = None,
    intercept: bool = True,
    hide: str | float | Tensor = "mean",
    output: str = "probabilities",
    batch_size: int | None = None,
) -> Explanation:
    r"""Explain a classifier's outputs for one image by the superpixels that raise and lower them.

    Superpixels are hidden at random, every one with probability 1/2 in every sample; the outputs g(z) of all
    classes are recorded, and weighted squares fit a linear h on the masks z',
        sum_z pi(z) (g(z) - h(z'))^2   over h with at most `n_features` weights              (P4 Eq. 4, 6, 7)
    The modes set what P4 and the lime package do differently:
        mode        distance d           weight pi              kept superpixels  final fit
        "paper"     root mean square     exp(-d^2 / sigma^2)    Lasso path        least squares
        "library"   cosine of the masks  sqrt of the same       "auto"            ridge of 1
    The package's distance is 1 - sqrt(share of superpixels shown).

    Args:
        model: images (N, C, H, W) in [0, 1] -> logits (N, K).
        image: (C, H, W) in [0, 1].
        segments: (H, W), superpixels 0 to D - 1, see `slic_superpixels` and `quickshift_superpixels`; explanations
            with the same ones can be compared.
        n_samples: samples, at least 2; the first shows the whole image. Not used with masks.
        mode: "paper" or "library".
        n_features: superpixels kept for a class, at least 1; None = all.
        classes: (M,) integers, the classes to explain; None = all.
        masks: (n, D) bool, the samples, True = shown, the first all True; None = drawn.
        generator: a CPU generator, needed if masks are drawn.
        sigma: width of the kernel, above 0, in the units of the distance.
        distance: "cosine", "rms" (root mean square over the image's values, in units of [0, 1]) or "pixels" (the
            Euclidean norm over all values, P4's letter); None = the mode's.
        selection: see `select_superpixels`; None = the mode's.
        ridge: penalty of the final fit, at least 0; None = the mode's.
        intercept: whether h has one; False is P4's letter, h(z') = w z'.
        hide: what a hidden superpixel shows, see `hiding_fill`.
        output: "probabilities" or "logits", what g is.
        batch_size: images the model sees at a time; None = 50, on a CPU fewer where they are large (10 of 224 by 224),
            so that a network's activations stay in its caches.

    Returns:
        Explanation in the dtype and on the device of image; all sums are made in float64. A single system is
        solved for all classes if all superpixels are kept.

    Raises:
        TypeError, ValueError: a bad image, a single superpixel or one color only, masks or classes that do not
            fit, no generator, an option out of range.

    Source: P4 Sec. 2, Eq. 4 to 7, n = 1000, sigma = 0.25; Ribeiro, Singh and Guestrin (2016).
    Differs from the paper: Eq. 5 lacks its minus sign. Its distance is the Euclidean one between images, and with
    sigma = 0.25 every sample but the first then weighs nothing: "pixels" does that, and says so by
    `effective_samples` and `determined`; the default divides by the square root of the number of values. With the
    mean as filling a photograph's samples then lie so near that all weigh almost alike: neither reading is local
    at the printed sigma. Eq. 7 asks for fewer than K weights; `n_features` is the largest number kept. The
    intercept is the package's.
    """
    n_superpixels = _checked(image, segments, n_samples, mode, masks, generator, sigma, batch_size, output)
    distance, selection, ridge = _by_mode(mode, distance, selection, ridge)
    if n_features is not None:
        checks.check_number(n_features, "n_features", at_least=1, integer=True)
    segments = segments.to(image.device)
    fill = hiding_fill(image, segments, hide)
    change = (image - fill).detach().double()
    if float(change.abs().max()) <= _INVISIBLE:
        raise ValueError(
            "image: expected one that changes when superpixels are hidden, got one color in every superpixel; "
            "set hide to another color or take another image"
        )
    if masks is None:
        masks = torch.rand(n_samples, n_superpixels, generator=generator) < 0.5
        masks[0] = True
    masks = masks.to(image.device)
    batch_size = _default_batch(image) if batch_size is None else batch_size
    results = _asked(model, image, fill, segments, masks, output, batch_size)
    if classes is None:
        classes = torch.arange(results.shape[1], device=image.device)
    else:
        checks.check_labels(classes, len(classes), n_classes=results.shape[1], name="classes")
        classes = classes.long().to(image.device)
    results = results[:, classes]
    exponents = _distances(change, segments, masks, distance).square() / sigma**2
    sample_weights = (-exponents if mode == "paper" else -exponents / 2).exp()
    moments = weighted_moments(masks, results, sample_weights, intercept=intercept)
    kept = select_superpixels(moments.gram, moments.moments, n_features or n_superpixels, selection=selection)
    fit = weighted_fit(moments, kept, ridge=ridge)
    return Explanation(
        classes=classes,
        weights=fit.weights.to(image.dtype),
        intercepts=fit.intercepts.to(image.dtype),
        scores=fit.scores.to(image.dtype),
        outputs=results[0].to(image.dtype),
        kept=kept,
        segments=segments,
        masks=masks,
        sample_weights=sample_weights.to(image.dtype),
        effective_samples=float(sample_weights.sum().square() / sample_weights.square().sum()),
        determined=is_determined(moments.gram),
    )


def _checked(
    image: Tensor,
    segments: Tensor,
    n_samples: int,
    mode: str,
    masks: Tensor | None,
    generator: torch.Generator | None,
    sigma: float,
    batch_size: int | None,
    output: str,
) -> int:
    """Return the number of superpixels after a look at everything that can be looked at without the model."""
    checks.check_choice(mode, "mode", MODES)
    checks.check_choice(output, "output", OUTPUTS)
    checks.check_number(sigma, "sigma", above=0.0)
    if batch_size is not None:
        checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    check_image(image)
    n_superpixels = check_segments(segments, *image.shape[1:])
    if masks is None:
        checks.check_number(n_samples, "n_samples", at_least=2, integer=True)
        if generator is None:
            raise ValueError("generator: expected a torch.Generator to draw masks with, got None; or give masks")
        checks.check_generator(generator)
        return n_superpixels
    if not isinstance(masks, Tensor) or masks.dtype != torch.bool:
        got = masks.dtype if isinstance(masks, Tensor) else type(masks).__name__
        raise TypeError(f"masks: expected a bool tensor (n, {n_superpixels}), got {got}; convert with .bool()")
    if masks.ndim != 2 or masks.shape[1] != n_superpixels or len(masks) < 2:
        raise ValueError(f"masks: expected shape (n, {n_superpixels}) with n >= 2, got {tuple(masks.shape)}")
    if not masks[0].all():
        raise ValueError(
            "masks: expected the first to show the whole image, got hidden superpixels; set masks[0] = True"
        )
    return n_superpixels


def _by_mode(mode: str, distance: str | None, selection: str | None, ridge: float | None) -> tuple[str, str, float]:
    paper = mode == "paper"
    distance = distance or ("rms" if paper else "cosine")
    selection = selection or ("lasso_path" if paper else "auto")
    checks.check_choice(distance, "distance", DISTANCES)
    checks.check_choice(selection, "selection", SELECTIONS)
    if ridge is None:
        ridge = 0.0 if paper else 1.0
    checks.check_number(ridge, "ridge", at_least=0.0)
    return distance, selection, float(ridge)


def _default_batch(image: Tensor) -> int:
    if image.device.type != "cpu":
        return _LARGEST_BATCH
    return max(1, min(_LARGEST_BATCH, _PIXELS_ON_CPU // image[0].numel()))


def _asked(
    model: Classifier, image: Tensor, fill: Tensor, segments: Tensor, masks: Tensor, output: str, batch_size: int
) -> Tensor:
    """Return the outputs (n, K) in float64 for all samples."""
    found = []
    with judged(model), torch.no_grad():
        for images in hidden_images(image.detach(), fill, segments, masks, batch_size=batch_size):
            logits = model(images)
            checks.check_logits(logits, len(images))
            found.append(logits.double().softmax(dim=1) if output == "probabilities" else logits.double().clone())
    return torch.cat(found)


def _distances(change: Tensor, segments: Tensor, masks: Tensor, distance: str) -> Tensor:
    """Return the distances (n,) of all samples to the image; those of images without making the images."""
    if distance == "cosine":
        return 1 - masks.double().mean(dim=1).sqrt()
    energy = change.new_zeros(masks.shape[1]).index_add_(0, segments.flatten(), change.square().sum(dim=0).flatten())
    squares = (~masks).double() @ energy
    return (squares / change.numel() if distance == "rms" else squares).sqrt()
