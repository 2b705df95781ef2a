"""Held-out judges: distances that score finished attacks and that no attack minimizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from blindspots import checks
from blindspots.perception.color import ciede2000_distance
from blindspots.perception.encoded import EncodedDistance
from blindspots.perception.frozen_network import check_colors
from blindspots.perception.ms_ssim import ms_ssim_distance
from blindspots.perception.ssim import ssim_distance
from blindspots.types import Scores


@dataclass(frozen=True)
class Judge:
    """A distance for scoring, callable on (images, references) -> (N,); lower = closer, 0 = identical.

    Attributes:
        name: the key in `JUDGES`.
        formula: how the distance comes from the published value, such as "1 - FSIM".
        higher_is_closer: the direction of the published value, before it is turned into a distance.
        family: judges of one family measure the same thing in nearly the same way.
        min_side: the smallest side of an image in pixels.
        source: the publication.
        measure: (images, references) of checked images with three channels -> (N,).
    """

    name: str
    formula: str
    higher_is_closer: bool
    family: str
    min_side: int
    source: str
    measure: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, images: Tensor, references: Tensor) -> Scores:
        """Return the distances (N,) of images to references, (N, C, H, W) in [0, 1], C = 3 or 1 (gray).

        Raises:
            TypeError, ValueError: values outside [0, 1], images smaller than min_side, or another shape.
        """
        _check_pair(images, references, min_side=self.min_side)
        return self.measure(_colored(images), _colored(references)).to(images.dtype)


def judge_images(images: Tensor, references: Tensor, names: Iterable[str] | None = None) -> dict[str, Scores]:
    """Score finished images with several judges.

    Args:
        images: (N, C, H, W) in [0, 1], C = 3 or 1 (gray, read as three equal channels).
        references: the originals, same shape, dtype and device.
        names: keys of `JUDGES`, in the order wanted; leave out what the attack minimized with `held_out`.
            None = every judge that takes images of this size.

    Returns:
        One (N,) tensor per judge, without a graph and on the CPU, so that `pandas.DataFrame(...)` takes it.

    Raises:
        TypeError, ValueError: unknown names, bad images, or images too small for a judge that was named.
    """
    _check_pair(images, references, min_side=1)
    if names is None:
        names = [name for name, judge in JUDGES.items() if min(images.shape[-2:]) >= judge.min_side]
    chosen = _known(names, "names")
    with torch.no_grad():
        return {name: JUDGES[name](images, references).cpu() for name in chosen}


def held_out(
    names: Sequence[str] | None = None, minimized: str | EncodedDistance | Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the judges that are independent of what an attack minimized: an attack is never judged by its own.

    Args:
        names: keys of `JUDGES`; None = all.
        minimized: the name of a distance (or several), or a distance with a name. A judge of the same name or
            the same family goes: an attack under SSIM is not judged by MS-SSIM either. Names that no judge
            has, such as "l2" or "pieapp", remove nothing.

    Returns:
        The names that are left, in their order.

    Raises:
        ValueError: an unknown name, or no judge is left.
    """
    chosen = _known(JUDGES if names is None else names, "names")
    if isinstance(minimized, EncodedDistance):
        minimized = minimized.name
    own = {minimized} if isinstance(minimized, str) else set(minimized)
    families = {JUDGES[name].family for name in own if name in JUDGES}
    left = tuple(name for name in chosen if name not in own and JUDGES[name].family not in families)
    if not left:
        raise ValueError(
            f"names: expected a judge that differs from what was minimized ({', '.join(sorted(own))}), got only "
            f"{', '.join(chosen)}; name others"
        )
    return left


def _known(names: Iterable[str], argument: str) -> list[str]:
    if isinstance(names, str):
        raise ValueError(f"{argument}: expected a list of judges, got the text {names!r}; use [{names!r}]")
    chosen = list(names)
    for name in chosen:
        checks.check_choice(name, argument, tuple(JUDGES))
    return chosen


def _check_pair(images: Tensor, references: Tensor, *, min_side: int) -> None:
    for name, tensor in (("images", images), ("references", references)):
        checks.check_images(tensor, name, min_side=min_side)
        check_colors(tensor, name)
    checks.check_same_shape(images, references, "images", "references")


def _colored(images: Tensor) -> Tensor:
    """Return images with three channels, in a dtype that Fourier transforms take."""
    wide = images if images.dtype in (torch.float32, torch.float64) else images.float()
    return wide.expand(-1, 3, -1, -1).contiguous()


def _fsim(images: Tensor, references: Tensor) -> Tensor:
    import piq

    return 1.0 - piq.fsim(images, references, reduction="none")


def _gmsd(images: Tensor, references: Tensor) -> Tensor:
    import piq

    return piq.gmsd(images, references, reduction="none")


def _mdsi(images: Tensor, references: Tensor) -> Tensor:
    import piq

    return piq.mdsi(images, references, reduction="none")


def _haarpsi(images: Tensor, references: Tensor) -> Tensor:
    import piq

    return 1.0 - piq.haarpsi(images, references, reduction="none")


def _vif(images: Tensor, references: Tensor) -> Tensor:
    import piq

    return 1.0 - piq.vif_p(images, references, reduction="none")


def _ciede2000_mean(images: Tensor, references: Tensor) -> Tensor:
    return ciede2000_distance(images, references, reduction="mean")


JUDGES = MappingProxyType(
    {
        judge.name: judge
        for judge in (
            Judge("ssim", "1 - SSIM", True, "structure", 1, "Wang et al. (2004)", ssim_distance),
            Judge(
                "ms_ssim", "1 - MS-SSIM", True, "structure", 161, "Wang, Simoncelli and Bovik (2003)",
                ms_ssim_distance,
            ),
            Judge("fsim", "1 - FSIMc", True, "phase", 16, "Zhang, Zhang, Mou and Zhang (2011)", _fsim),
            Judge("gmsd", "GMSD", False, "gradient", 4, "Xue, Zhang, Mou and Bovik (2014)", _gmsd),
            Judge("mdsi", "MDSI", False, "gradient and chroma", 3, "Nafchi et al. (2016)", _mdsi),
            Judge("haarpsi", "1 - HaarPSI", True, "wavelet", 16, "Reisenhofer et al. (2018)", _haarpsi),
            Judge("vif", "1 - VIFp", True, "information", 41, "Sheikh and Bovik (2006)", _vif),
            Judge(
                "ciede2000", "L2 norm of the CIEDE2000 map", False, "color", 1,
                "Sharma, Wu and Dalal (2005)", ciede2000_distance,
            ),
            Judge(
                "ciede2000_mean", "mean of the CIEDE2000 map", False, "color", 1,
                "Sharma, Wu and Dalal (2005)", _ciede2000_mean,
            ),
        )
    }
)  # fmt: skip
"""Every judge by name. SSIM and MS-SSIM are ours (piq's values), CIEDE2000 is ours, the others are piq's.

VIF can exceed 1 for images with more contrast than the original; its distance is negative then. FSIM's longest
filter has a wavelength of 48 pixels: below that it says little.
"""
