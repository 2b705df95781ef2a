"""How far sparse codes can be from the best ones, certified without knowing the best ones."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.purify.cbpdn import check_coding, synthesize_codes
from blindspots.types import Scores


@torch.no_grad()
def duality_gap(signals: Tensor, codes: Tensor, dictionary: Tensor, lmbda: float | int) -> Scores:
    r"""Return an upper bound on how much the objective of sparse codes exceeds its minimum.

    With P(x) = (1/2) ||D x - s||_2^2 + lmbda ||x||_1 and D x = sum_m d_m * x_m, every q with |D^T q| <= lmbda gives
        min P >= (1/2) ||s||_2^2 - (1/2) ||s - q||_2^2 .
    We take the best multiple q of the misfit s - D x that is allowed, and return P(x) minus that bound. It is 0 at the
    minimum and nowhere else, and needs no other solver to be trusted.

    Args:
        signals: (N, C, H, W), any range.
        codes: (N, M, H, W), or (N, C, M, H, W) where filters of one channel code channels alone, as `cbpdn` gives them.
        dictionary: (M, C, h, w), or (M, 1, h, w); dtype and device of signals.
        lmbda: weight of the l1 term, > 0.

    Returns:
        (N,) >= 0 up to rounding, float64, in the units of the objective; summed over channels coded alone.

    Raises:
        TypeError, ValueError: shapes, dtypes or options that `cbpdn` would not take together.

    Source: Fenchel duality for P1 Eqs. 6 and 8, which have no stopping rule.
    """
    checks.check_images(signals, "signals", unit_range=False)
    check_coding(signals, dictionary, lmbda, initial=codes)
    if codes.ndim == 5:
        n, channels = signals.shape[:2]
        alone = duality_gap(
            signals.reshape(n * channels, 1, *signals.shape[2:]), codes.flatten(0, 1), dictionary, lmbda
        )
        return alone.view(n, channels).sum(dim=1)
    wide, maps, filters = signals.double(), codes.double(), dictionary.double()
    misfit = wide - synthesize_codes(maps, filters)
    spectrum = torch.fft.rfft2(filters, s=wide.shape[-2:]).conj()
    pull = torch.fft.irfft2(torch.einsum("nchw,mchw->nmhw", torch.fft.rfft2(misfit), spectrum), s=wide.shape[-2:])
    tiny = torch.finfo(torch.float64).tiny
    energy, along = misfit.square().sum(dim=(1, 2, 3)), (misfit * wide).sum(dim=(1, 2, 3))
    most = lmbda / pull.abs().amax(dim=(1, 2, 3)).clamp_min(tiny)
    share = torch.minimum(torch.maximum(along / energy.clamp_min(tiny), -most), most)
    primal = 0.5 * energy + lmbda * maps.abs().sum(dim=(1, 2, 3))
    dual = share * along - 0.5 * share.square() * energy
    return primal - dual
