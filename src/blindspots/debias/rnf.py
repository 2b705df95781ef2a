"""RNF: keep the biased encoder, and retrain the head on features in which the groups are averaged out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.borrowed import judged
from blindspots.checks import check_choice, check_generator, check_labels, check_number
from blindspots.debias.group_cells import check_groups
from blindspots.debias.group_examples import N_GROUPS, check_group_examples
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training, state_on_cpu

DEGREES = (0.6, 0.7, 0.8, 0.9)
PARTNERS = ("batch", "all")

Head = Callable[[Tensor], Tensor]
"""features (n, ...) -> logits (n, K)."""


def rnf_loss(
    head: Head,
    features: Tensor,
    partner_features: Tensor,
    targets: Tensor,
    *,
    smoothing: float,
    degrees: Sequence[float] = DEGREES,
) -> Tensor:
    r"""Return the loss of a head on neutralized features.

    With c(z) = softmax(head(z)), features z1, partners z2 and targets p, the means of both examples' probabilities,
        L = mean over classes of (c((z1 + z2) / 2) - p)^2
            + smoothing sum_lambda | c(lambda z1 + (1 - lambda) z2) - c((z1 + z2) / 2) |_1,
    averaged over the examples; lambda goes through `degrees`.

    Args:
        head: features (n, ...) -> logits (n, K).
        features: (N, ...) of the examples.
        partner_features: (N, ...) of as many examples with the same labels from the other group.
        targets: (N, K) probabilities.
        smoothing: alpha, >= 0.
        degrees: lambdas in [0.5, 1); how much of an example's own features is kept.

    Raises:
        ValueError: features and partners of different shapes, smoothing < 0, or a degree outside [0.5, 1).

    Source: Du et al. (2021), "Fairness via Representation Neutralization", Eq. 1, 3 and 4, with lambdas of Sec. 4.1.2.
    Differs from the paper: the authors' script sums the second term over a batch while it averages the first; its
        alpha of 0.035 with batches of 64 is a `smoothing` of 2.24 here.
    """
    _check_smoothing(smoothing, degrees)
    if features.shape != partner_features.shape:
        raise ValueError(
            f"partner_features: expected the shape of features {tuple(features.shape)}, got "
            f"{tuple(partner_features.shape)}"
        )
    return _neutralized_loss(head, features, partner_features, targets, smoothing, degrees)


def partners_in_batch(labels: Tensor, groups: Tensor, *, generator: torch.Generator) -> Tensor:
    """Draw for each example of a batch one of the same label and the other group, with equal chances.

    Args:
        labels: (N,) integers.
        groups: (N,) 0 or 1.
        generator: a CPU generator; it is advanced.

    Returns:
        (N,) long positions in the batch, on the CPU. Where the batch has no such example the partner comes from the
        same group (and may be the example itself).

    Raises:
        TypeError, ValueError: bad labels or groups.

    Source: Du et al. (2021), Sec. 3.3 and 4.1.2, and for batches without a partner the authors' script.
    """
    check_labels(labels, len(labels))
    check_groups(groups, len(labels))
    check_generator(generator)
    return _partners(labels.cpu(), groups.cpu(), generator)


def rnf(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    smoothing: float,
    temperature: float = 2.0,
    degrees: Sequence[float] = DEGREES,
    encoder_depth: int | None = None,
    partners: str = "batch",
    fresh_head: bool = True,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    generator: torch.Generator,
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    """Retrain the head of a trained classifier on neutralized features, changing it in place.

    The encoder's features z and the probabilities softmax(logits / temperature) of the given model are computed once.
    In each batch every example is paired with one of the same label and the other group, and the head learns the mean
    of their probabilities from the mean of their features (see `rnf_loss`). Nothing but the head changes.

    Args:
        model: a classifier trained by `erm`, with `encode` (inputs -> features) and `head` (features -> logits (n, K)).
        inputs: (N, ...) floats: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers, all of 0..K-1.
        groups: (N,) 0 or 1, both in every class; the true ones, or `proxy_groups`.
        smoothing: alpha, >= 0; the larger, the less the head reacts to the group, until it is constant (Odds 0 at a
            balanced accuracy of one half). Which value does what depends on the data: from 0.003 to 0.03 removed most
            of the bias of the health table, from 0.05 to 0.2 that of a small planted one; without smoothing hardly any
            was removed, and the 2.24 of the authors' script left a constant head on both.
        temperature: of the targets, >= 1; the authors' 2 for Adult and CelebA and 5 for MEPS.
        degrees: lambdas of the smoothing, in [0.5, 1).
        encoder_depth: how many layers of `model.features` (a Sequential, as in blindspots.models) are the encoder; the
            others belong to the head. None for the model's own `encode` and `head`.
        partners: "batch" draws them from the batch (see `partners_in_batch`), "all" from all examples.
        fresh_head: draw new first weights for the head, as the authors do, instead of going on from the trained ones.
        epochs, batch_size, learning_rate, weight_decay, generator, evaluate, after_epoch, progress: as in
            `group_training`. The authors' script takes batches of 64 and 4 epochs of Adam at 1e-3 for MEPS.

    Returns:
        GroupTraining with every epoch's record and weights of the whole model.

    Raises:
        TypeError, ValueError: bad examples (see `check_group_examples`), a model without features, an encoder depth
            that does not split it, or bad options, before any work.

    Source: Du et al. (2021), Sec. 3.3 and Algorithm 1, and the authors' script (train_rnf.py); P3, Sec. 5.1.2.
    Differs from the paper: the authors split a perceptron of three layers after the first, and put two layers on a
        ResNet-18, so that their head is not linear: take `encoder_depth` 2 for `mlp` with two hidden layers (its
        layers and activations are counted). Their script keeps dropout on while it computes features and targets,
        here the encoder is in evaluation mode. `partners="all"` is ours. P3 states no setting.
    """
    _check_smoothing(smoothing, degrees)
    check_number(temperature, "temperature", at_least=1.0)
    check_choice(partners, "partners", PARTNERS)
    check_generator(generator)
    examples = check_group_examples(model, inputs, labels, groups)
    examples.count_features(model)
    encode, head = _split(model, encoder_depth, examples.batch(torch.zeros(1, dtype=torch.long))[0])
    features = examples.apply(model, encode)
    with judged(model), torch.no_grad():
        chances = torch.cat([(head(some) / temperature).softmax(1) for some in features.split(512)])
    of_head = _parameters_of(head, features[:1], model)
    given = state_on_cpu(model)
    if fresh_head:
        _reset(model, of_head, generator)
    labels, groups = examples.labels.cpu(), examples.groups.cpu()
    from_all = _PartnersFromAll(labels, groups)

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        if partners == "batch":
            others = indices[_partners(labels[indices], groups[indices], generator)]
        else:
            others = from_all.draw(indices, generator)
        here, there = indices.to(features.device), others.to(features.device)
        targets = (chances[here] + chances[there]) / 2
        return _neutralized_loss(head, features[here], features[there], targets, smoothing, degrees)

    frozen = [parameter for parameter in model.parameters() if parameter.requires_grad and id(parameter) not in of_head]
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        return group_training(
            model, step, len(examples), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
            weight_decay=weight_decay, generator=generator, evaluate=evaluate, after_epoch=after_epoch,
            progress=progress,
        )  # fmt: skip
    except Exception:
        model.load_state_dict(given)
        raise
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)


class _PartnersFromAll:
    """Draw partners of the same label and the other group from all examples."""

    def __init__(self, labels: Tensor, groups: Tensor) -> None:
        cell = labels * N_GROUPS + groups
        self.counts = torch.bincount(cell)
        self.starts = self.counts.cumsum(0) - self.counts
        self.order = cell.argsort(stable=True)
        self.wanted = labels * N_GROUPS + (1 - groups)

    def draw(self, indices: Tensor, generator: torch.Generator) -> Tensor:
        """Return (B,) examples for the examples of a batch (B,)."""
        wanted = self.wanted[indices]
        places = torch.rand(len(indices), generator=generator, dtype=torch.float64) * self.counts[wanted]
        return self.order[self.starts[wanted] + places.long()]


def _partners(labels: Tensor, groups: Tensor, generator: torch.Generator) -> Tensor:
    alike = labels[:, None] == labels
    other = alike & (groups[:, None] != groups)
    allowed = torch.where(other.any(1, keepdim=True), other, alike)
    return torch.multinomial(allowed.float(), 1, generator=generator).squeeze(1)


def _neutralized_loss(
    head: Head, features: Tensor, partners: Tensor, targets: Tensor, smoothing: float, degrees: Sequence[float]
) -> Tensor:
    neutral = head((features + partners) / 2).softmax(1)
    loss = F.mse_loss(neutral, targets)
    if smoothing == 0:
        return loss
    changes = [
        (head(degree * features + (1 - degree) * partners).softmax(1) - neutral).abs().sum(1) for degree in degrees
    ]
    return loss + smoothing * sum(changes).mean()


def _split(model: nn.Module, depth: int | None, row: Tensor) -> tuple[Callable[[Tensor], Tensor], Head]:
    if depth is None:
        return model.encode, model.head
    layers = getattr(model, "features", None)
    if not isinstance(layers, nn.Sequential):
        raise TypeError(
            f"model: expected one whose .features is a Sequential of layers, got {type(layers).__name__}; "
            "use encoder_depth=None"
        )
    check_number(depth, "encoder_depth", at_least=1, at_most=len(layers) - 1, integer=True)
    rest = layers[depth:]

    def encode(rows: Tensor) -> Tensor:
        # What enters the first layer of the head, whatever the model does before its first layer.
        caught: list[Tensor] = []
        hook = layers[depth].register_forward_pre_hook(lambda layer, given: caught.append(given[0]))
        try:
            model.encode(rows)
        finally:
            hook.remove()
        return caught[0]

    def head(features: Tensor) -> Tensor:
        return model.head(rest(features))

    with judged(model), torch.no_grad():
        whole, parts = model(row), head(encode(row))
    if not torch.allclose(whole, parts, rtol=1e-4, atol=1e-5):
        raise ValueError(
            f"encoder_depth: expected layers that run one after another, got other logits from the parts at {depth} "
            "than from the model; use encoder_depth=None"
        )
    return encode, head


def _parameters_of(head: Head, features: Tensor, model: nn.Module) -> set[int]:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trained:
        return set()
    with judged(model), torch.enable_grad():
        slopes = torch.autograd.grad(head(features).sum(), trained, allow_unused=True)
    return {id(parameter) for parameter, slope in zip(trained, slopes, strict=True) if slope is not None}


def _reset(model: nn.Module, of_head: set[int], generator: torch.Generator) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        for part in model.modules():
            own = {id(parameter) for parameter in part.parameters(recurse=False)}
            if not own & of_head:
                continue
            if not callable(getattr(part, "reset_parameters", None)):
                raise TypeError(
                    f"fresh_head: expected layers with reset_parameters, got {type(part).__name__}; use "
                    "fresh_head=False"
                )
            part.reset_parameters()


def _check_smoothing(smoothing: float, degrees: Sequence[float]) -> None:
    check_number(smoothing, "smoothing", at_least=0.0)
    for degree in degrees:
        check_number(degree, "degrees", at_least=0.5)
        if degree >= 1:
            raise ValueError(f"degrees: expected values in [0.5, 1), got {degree}")
    if smoothing and not degrees:
        raise ValueError("degrees: expected at least one to smooth over, got none; use smoothing=0")
