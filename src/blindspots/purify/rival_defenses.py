"""The rivals of P1's Tables 3 and 4 and a few of ours, each with its source, its published settings and those here."""

from __future__ import annotations

from collections.abc import Sequence

from blindspots import checks
from blindspots.purify.bit_depth import bit_depth
from blindspots.purify.crop_ensemble import crop_ensemble
from blindspots.purify.defense_trial import NamedDefense
from blindspots.purify.deflection_ensemble import deflection_ensemble
from blindspots.purify.gated_pixel_cnn import GatedPixelCNN
from blindspots.purify.jpeg import jpeg
from blindspots.purify.magnet import MagNet
from blindspots.purify.pixel_defend import pixel_defend
from blindspots.purify.quilting import Quilting
from blindspots.purify.stl import SparseTransformation
from blindspots.purify.tikhonov import tikhonov_split
from blindspots.purify.total_variation import total_variation
from blindspots.types import Classifier, Images

DEFENSES = (
    "none", "MagNet", "PixelDefend", "TVM", "Quilting", "Crop-Ens", "PD-Ens", "STL", "ACSR", "low-pass", "JPEG",
    "bit depth",
)  # fmt: skip


def rival_defenses(
    names: Sequence[str],
    *,
    magnet: MagNet | None = None,
    density: GatedPixelCNN | None = None,
    quilting: Quilting | None = None,
    stl: SparseTransformation | None = None,
    acsr: object | None = None,
    epsilon: float | int = 16 / 255,
    tv_weight: float | int = 0.03,
    n_crops: int = 30,
    crop_share: float | int = 90 / 224,
    n_runs: int = 10,
    deflections: int = 200,
    window: int = 10,
    quality: int = 60,
    bits: int = 4,
) -> dict[str, NamedDefense]:
    """Return the defenses of the tables by name, ready for `try_defenses`.

    Args:
        names: of `DEFENSES`, in the order of the result; "none", "low-pass", "JPEG" and "bit depth" are no rows of the
            tables ("none" apart). "low-pass" is the smooth part of `tikhonov_split` alone: STL or ACSR without codes.
        magnet: from `train_magnet`; its reformer purifies, its detectors refuse nothing here.
        density: from `train_pixel_cnn`, for PixelDefend.
        quilting: from `fit_quilting`.
        stl: from `stl_purifier` or `fit_stl`.
        acsr: from `acsr_purifier`.
        epsilon: radius of PixelDefend, in units of the [0, 1] range.
        tv_weight: see `total_variation`.
        n_crops, crop_share: see `crop_ensemble`.
        n_runs, deflections, window: see `deflection_ensemble`.
        quality: of JPEG, 1 to 100.
        bits: of "bit depth".

    Returns:
        NamedDefense by name.

    Raises:
        ValueError: an unknown name, or a fitted part that a name needs and that is not given.

    Source: P1, Tables 3 and 4, and the works they cite; see the docstring of each defense.
    Differs from the paper: it gives no setting of any rival; ours are the published ones where there are any.
    """
    fitted = {"MagNet": magnet, "PixelDefend": density, "Quilting": quilting, "STL": stl, "ACSR": acsr}
    for name in names:
        checks.check_choice(name, "names", DEFENSES)
        if name in fitted and fitted[name] is None:
            raise ValueError(f"names: expected the fitted part of {name} beside its name, got None; pass it")

    def crops(images: Images, model: Classifier, draws: object) -> object:
        return crop_ensemble(images, model, n_crops=n_crops, crop_share=crop_share, generator=draws)

    def deflected(images: Images, model: Classifier, draws: object) -> object:
        return deflection_ensemble(
            images, model, n_runs=n_runs, deflections=deflections, window=window, generator=draws
        )

    def coding(one: object) -> str:
        count, filters = len(one.dictionaries), one.dictionaries[0]
        many = "1 dictionary" if count == 1 else f"{count} dictionaries"
        return f"{many} of {len(filters)} filters {filters.shape[-2]} x {filters.shape[-1]}, lambda {one.lmbda:g}"

    made = {
        "none": lambda: NamedDefense(lambda x, _: x),
        "MagNet": lambda: NamedDefense(
            lambda x, _: magnet(x), source="Meng and Chen (2017), text and code",
            published="MNIST: 3-average-3, noise 0.1, 100 epochs; CIFAR-10: 3, noise 0.025, 400 epochs",
            here=f"{'-'.join(map(str, magnet.autoencoders[0].structure))}, {len(magnet.losses[0])} epochs, "
            "reformer only",
        ),
        "PixelDefend": lambda: NamedDefense(
            lambda x, _: pixel_defend(x, density, epsilon=epsilon), source="Song et al. (2018), text",
            published="PixelCNN++, radius 16/255 (CIFAR-10), 32/255 (Fashion-MNIST)",
            here=f"gated PixelCNN of {len(density.layers)} layers, {density.levels} levels, "
            f"radius {255 * epsilon:.0f}/255",
        ),
        "TVM": lambda: NamedDefense(
            lambda x, draws: total_variation(x, weight=tv_weight, generator=draws),
            source="Guo et al. (2018), code", published="half of the values dropped, weight 0.03",
            here=f"half of the values dropped, weight {tv_weight:g}",
        ),
        "Quilting": lambda: NamedDefense(
            lambda x, _: quilting(x), source="Guo et al. (2018), code",
            published="patches 5 x 5, overlap 2, of 1,000,000 the nearest",
            here=f"patches {quilting.patches.shape[-1]} x {quilting.patches.shape[-1]}, overlap {quilting.overlap}, of "
            f"{len(quilting.patches):,} the nearest",
        ),
        "Crop-Ens": lambda: NamedDefense(
            ensemble=crops, source="Guo et al. (2018), text", published="30 crops of 90 / 224 of the side",
            here=f"{n_crops} crops of {crop_share:.2f} of the side",
        ),
        "PD-Ens": lambda: NamedDefense(
            ensemble=deflected, source="Prakash et al. (2018), text and code",
            published="10 runs, 200 deflections of 224 x 224 pixels, window 10, sigma 0.04, map of activations",
            here=f"{n_runs} runs, {deflections} deflections, window {window}, sigma 0.04, no map",
        ),
        "STL": lambda: NamedDefense(
            lambda x, _: stl(x), source="Sun et al. (2019), text and code",
            published="strata by a denoising autoencoder, 64 filters 8 x 8, lambda 0.2", here=coding(stl),
        ),
        "ACSR": lambda: NamedDefense(
            lambda x, _: acsr(x), source="P1", published="no number of filters, no lambda", here=coding(acsr)
        ),
        "low-pass": lambda: NamedDefense(
            lambda x, _: tikhonov_split(x)[0].clamp(0.0, 1.0), source="ours, a control",
            published="(the smooth part of STL and ACSR)", here="weight 5",
        ),
        "JPEG": lambda: NamedDefense(
            lambda x, _: jpeg(x, quality=quality), source="Das et al. (2018)", published="no single quality",
            here=f"quality {quality}",
        ),
        "bit depth": lambda: NamedDefense(
            lambda x, _: bit_depth(x, bits=bits), source="Xu et al. (2017)", published="1 to 7 bits",
            here=f"{bits} bits",
        ),
    }  # fmt: skip
    return {name: made[name]() for name in names}
