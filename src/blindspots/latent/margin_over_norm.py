"""The exact answer where classifier and generator are linear: the margin over the norm of its slope."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.latent.decay import decayed_latents
from blindspots.latent.inputs import Decoder, both_judged, check_subjects, decoded
from blindspots.types import Classifier, Scores


def margin_over_norm(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    batch_size: int = 256,
) -> Scores:
    r"""Return the distance of each decayed latent to the nearest boundary of the linearized classifier.

        min over j != y of (z_y - z_j) / (sqrt(D) ||grad (z_y - z_j)||_2),     z = f(G_y(.)) at lbar
    Where model and decoder are linear this is the smallest ||D||_s that reaches another class, exactly: there a
    search can be judged. Elsewhere it is a first estimate, on either side of the truth.

    Args:
        model: images in [0, 1] -> logits (N, K).
        decode: (latents (N, D), labels (N,)) -> images (N, C, H, W) in [0, 1].
        latents: (N, D).
        labels: (N,).
        epsilon: >= 0, of the decay.
        batch_size: latents asked about together; K gradients are taken for each.

    Returns:
        (N,) in scaled norm; 0 where the decayed latent is misread, infinity where no slope leads to another class.

    Raises:
        TypeError, ValueError: bad latents, labels, options, images or logits; logits without a gradient.

    Source: ours; P2 does not judge its search.
    """
    check_subjects(latents, labels, batch_size)
    centers = decayed_latents(latents, epsilon=epsilon)
    parts = []
    with both_judged(model, decode), torch.enable_grad():
        for some, own in zip(centers.split(batch_size), labels.long().split(batch_size), strict=True):
            decoded(decode, some, own)
            leaf = some.clone().requires_grad_(True)
            logits = model(decode(leaf, own))
            checks.check_logits(logits, len(some))
            checks.check_labels(own, len(some), n_classes=logits.shape[1])
            leads = logits.gather(1, own[:, None]) - logits
            if not leads.requires_grad:
                raise ValueError("model, decode: expected logits that depend on the latents differentiably, got none")
            slopes = [
                torch.autograd.grad(column.sum(), leaf, retain_graph=True, materialize_grads=True)[0]
                for column in leads.unbind(1)
            ]
            norms = torch.linalg.vector_norm(torch.stack(slopes, dim=1), dim=2) * latents.shape[1] ** 0.5
            distances = torch.where(leads <= 0, 0.0, leads.detach() / norms)
            itself = torch.zeros_like(distances, dtype=torch.bool).scatter(1, own[:, None], True)
            parts.append(distances.masked_fill(itself, torch.inf).amin(dim=1))
    return torch.cat(parts)
