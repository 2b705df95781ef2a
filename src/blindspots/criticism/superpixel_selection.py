"""Which superpixels an explanation keeps: three ways, all from the weighted Gram matrix, for all classes."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from sklearn.linear_model import lars_path_gram
from torch import Tensor

from blindspots import checks

SELECTIONS = ("auto", "forward_selection", "highest_weights", "lasso_path")
_CLASSES_AT_ONCE = 64
_FORWARD_UP_TO = 6
_RIDGE = 0.01


def select_superpixels(
    gram: Tensor, moments: Tensor, n_features: int, *, selection: str = "auto"
) -> Bool[Tensor, "M D"]:
    r"""Return which superpixels explain each class best.

    With centered masks Z, centered outputs Y and sample weights W, gram = Z^T W Z and moments = Z^T W Y hold all
    that the three ways need:
    "forward_selection" adds the superpixel that lowers the weighted squares most, one at a time;
    "highest_weights" takes the largest weights of a ridge of 0.01 over all superpixels;
    "lasso_path" takes the last point of the Lasso path with at most `n_features` weights, so perhaps fewer;
    "auto" is forward selection up to 6, and highest weights above.

    Args:
        gram: (D, D), symmetric, in float64.
        moments: (D, M), a column for each class.
        n_features: superpixels to keep, at least 1; all are kept if there are no more.
        selection: a way from the list.

    Returns:
        (M, D), True = kept.

    Raises:
        TypeError, ValueError: an unknown way, or n_features below 1.

    Source: Ribeiro, Singh and Guestrin (2016), Algorithm 1 (K-Lasso); "auto" is the lime package's. P4 Sec. 2
    uses the Lasso.
    """
    checks.check_choice(selection, "selection", SELECTIONS)
    checks.check_number(n_features, "n_features", at_least=1, integer=True)
    n_superpixels, n_classes = moments.shape
    if selection == "auto":
        selection = "forward_selection" if n_features <= _FORWARD_UP_TO else "highest_weights"
    if n_features >= n_superpixels:
        return torch.ones(n_classes, n_superpixels, dtype=torch.bool, device=gram.device)
    if selection == "lasso_path":
        return _on_lasso_path(gram, moments, n_features)
    if selection == "highest_weights":
        ridge = gram + _RIDGE * torch.eye(n_superpixels, dtype=gram.dtype, device=gram.device)
        weights = torch.linalg.solve(ridge, moments).T.abs()
        kept = weights.argsort(dim=1, descending=True, stable=True)[:, :n_features]
        return torch.zeros_like(weights, dtype=torch.bool).scatter_(1, kept, True)
    return torch.cat([_forward(gram, some, n_features) for some in moments.split(_CLASSES_AT_ONCE, dim=1)])


def _forward(gram: Tensor, moments: Tensor, n_features: int) -> Tensor:
    """Grow all classes together; what is left of gram and moments after the chosen ones is their Schur complement."""
    left, rest = gram.expand(moments.shape[1], -1, -1).clone(), moments.T.clone()
    chosen = torch.zeros_like(rest, dtype=torch.bool)
    rows = torch.arange(len(rest), device=gram.device)
    floor = torch.finfo(gram.dtype).eps * len(gram) * gram.diagonal().amax()
    for _ in range(n_features):
        spread = left.diagonal(dim1=1, dim2=2)
        gain = torch.where(spread > floor, rest.square() / spread.clamp_min(floor), 0.0).masked_fill(chosen, -1.0)
        best = gain.argmax(dim=1)
        chosen[rows, best] = True
        column, pivot = left[rows, :, best], spread[rows, best].clone()
        scale = torch.where(pivot > floor, 1 / pivot, 0.0)[:, None]
        rest = rest - column * rest[rows, best][:, None] * scale
        left = left - column[:, :, None] * (column * scale)[:, None, :]
    return chosen


def _on_lasso_path(gram: Tensor, moments: Tensor, n_features: int) -> Tensor:
    kept = torch.zeros(moments.shape[::-1], dtype=torch.bool)
    gram_array = gram.cpu().numpy()
    for row, column in enumerate(moments.T.cpu().numpy()):
        if not column.any():
            continue
        coefficients = lars_path_gram(column, gram_array, n_samples=1, method="lasso")[2]
        sizes = (coefficients != 0).sum(axis=0)
        last = [point for point in range(1, len(sizes)) if sizes[point] <= n_features]
        if last:
            kept[row] = torch.from_numpy(coefficients[:, last[-1]] != 0)
    return kept.to(gram.device)
