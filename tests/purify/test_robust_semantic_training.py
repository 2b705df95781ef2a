"""Robust semantic training: its loss put together by hand, what it buys, and arguments that must have an effect."""

import copy

import pytest
import torch
import torch.nn.functional as F

from blindspots.models import evaluate_classifier, small_cnn, train_classifier
from blindspots.purify import TrainingAttack, robust_semantic_training
from blindspots.purify.robust_run import training_digest
from blindspots.seeding import generator


class Centers:
    """The least that stands for semantic clusters: Euclidean distance to centers, with its root kept off 0."""

    def __init__(self, centers):
        self.centers = centers

    def mahalanobis(self, features):
        return ((features[:, None] - self.centers).square().sum(2) + 1e-6).sqrt()


def corners(n=64, seed=0):
    """Noisy images with one bright quadrant, which is the class."""
    draws = generator(seed)
    labels = torch.randint(0, 4, (n,), generator=draws)
    images = 0.3 * torch.rand(n, 1, 8, 8, generator=draws)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 2)
        image[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 0.4
    return images, labels


IMAGES, LABELS = corners()
MODEL = small_cnn(1, 4, width=4, norm="group", seed=0)
FAST = TrainingAttack(epsilon=0.3, steps=2)
with torch.no_grad():
    CLUSTERS = Centers(torch.stack([MODEL.encode(IMAGES[label == LABELS]).mean(0) for label in range(4)]))


def trained(model=MODEL, data=(IMAGES, LABELS), **options):
    settings = dict(epochs=1, batch_size=32, seed=0, attack=FAST, alpha=0.1, progress=False) | options
    semantic = () if settings.get("semantic") is False else (LABELS, CLUSTERS)
    if not semantic:
        settings.pop("alpha")
    return robust_semantic_training(model, *data, *semantic, **settings)


def state(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


def one_step_by_hand(loss_of, attacked):
    """Return the weights after the first and only step of SGD, of which Nesterov's makes 1.9 times the gradient."""
    model = copy.deepcopy(MODEL).train()
    loss = loss_of(model, attacked)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    rate = 0.05 * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * (0.5 - 0.3) / 0.7, dtype=torch.float64))).item()
    with torch.no_grad():
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter -= rate * 1.9 * gradient
    return state(model), loss.item()


def distances(model, images):
    return (model.encode(images) - CLUSTERS.centers[LABELS]).square().sum(1).add(1e-6).sqrt()


def kl(calm, logits):
    return (calm.softmax(1) * (calm.log_softmax(1) - logits.log_softmax(1))).sum(1)


@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("objective", ["pgd", "trades"])
def test_one_step_is_that_of_the_equation(objective, include):
    attack = TrainingAttack(epsilon=0.3, steps=3)
    draws = generator(0, "robust batches")
    order = torch.randperm(len(IMAGES), generator=draws)
    start = attack._start(IMAGES[order], draws)
    calm = MODEL(IMAGES).detach()

    def inner(images):
        logits = MODEL(images)
        losses = F.cross_entropy(logits, LABELS, reduction="none") if objective == "pgd" else kl(calm, logits)
        return losses + 0.3 * distances(MODEL, images) if include else losses

    moved = attack._project(IMAGES + start[order.argsort()], IMAGES)
    for _ in range(3):
        leaf = moved.requires_grad_(True)
        gradient = torch.autograd.grad(inner(leaf).sum(), leaf)[0]
        unit = gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        change = leaf.detach() + 0.25 * unit - IMAGES
        shrink = (0.3 / change.flatten(1).norm(dim=1)).clamp_max(1).view(-1, 1, 1, 1)
        moved = (IMAGES + shrink * change).clamp(0, 1)

    def outer(model, attacked):
        logits = model(attacked)
        if objective == "pgd":
            loss = F.cross_entropy(logits, LABELS)
        else:
            clean = model(IMAGES)
            loss = F.cross_entropy(clean, LABELS) + 6 * kl(clean, logits).mean()
        return loss + 0.3 * distances(model, attacked).mean()

    expected, loss = one_step_by_hand(outer, moved)
    model, result = trained(
        alpha=0.3, objective=objective, include_distance_in_attack=include, attack=attack, batch_size=64,
        learning_rate=0.05, weight_decay=0.0,
    )  # fmt: skip
    # float32, and a batch in another order: 1e-5 of weights that moved by about 1e-2.
    torch.testing.assert_close(state(model), expected, atol=1e-5, rtol=0)
    assert (state(model) - state(MODEL)).abs().max() > 1e-3
    assert result.history[0].loss == pytest.approx(loss, rel=1e-4)


def test_the_record_adds_up():
    _, result = trained(epochs=2, objective="trades", beta=3.0, alpha=0.25)
    for epoch in result.history:
        assert epoch.loss == pytest.approx(epoch.cross_entropy + 3 * epoch.divergence + 0.25 * epoch.distance, rel=1e-5)
        assert 0 <= epoch.adversarial_accuracy <= 1 and epoch.divergence >= 0 and epoch.distance > 0
    assert len(result.history) == 2 and result.seconds == sum(epoch.seconds for epoch in result.history)
    _, plain = trained(semantic=False)
    assert plain.history[0].divergence is None and plain.history[0].distance is None
    assert plain.history[0].loss == plain.history[0].cross_entropy


@pytest.fixture(scope="module", params=[0, 1, 2])
def lessons(request):
    """Return the clusters of a baseline, and the baseline and three that went on from it alike, but for one thing.

    "calm" met attacks too weak to matter, "plain" real ones, and "semantic" those with the semantic term.
    """
    seed = request.param
    with torch.random.fork_rng(devices=[]):
        images, labels = corners(256, seed=10 * seed + 1)
        baseline = small_cnn(1, 4, width=4, norm="group", seed=seed)
        train_classifier(baseline, images, labels, epochs=8, batch_size=32, seed=seed, progress=False)
        with torch.no_grad():
            features = baseline.encode(images)
            clusters = Centers(torch.stack([features[labels == label].mean(0) for label in range(4)]))
        settings = dict(epochs=6, batch_size=32, seed=seed, progress=False)
        none, real = (TrainingAttack(epsilon=epsilon, steps=5) for epsilon in (1e-6, 0.7))
        data = (baseline, images, labels)
        calm, _ = robust_semantic_training(*data, semantic=False, attack=none, **settings)
        plain, _ = robust_semantic_training(*data, semantic=False, attack=real, **settings)
        semantic, _ = robust_semantic_training(*data, labels, clusters, alpha=0.5, attack=real, **settings)
    return (
        clusters,
        dict(baseline=baseline, calm=calm, plain=plain, semantic=semantic),
        corners(200, seed=10 * seed + 2),
    )


def test_training_makes_robust_and_the_semantic_term_brings_features_nearer_to_their_cluster(lessons):
    clusters, models, (images, labels) = lessons
    robust, apart = {}, {}
    for name, model in models.items():
        attacked = TrainingAttack(epsilon=0.7, steps=20).perturb(
            images, lambda x, model=model: F.cross_entropy(model(x), labels, reduction="none"), generator=generator(3)
        )
        robust[name] = evaluate_classifier(model, attacked, labels).accuracy
        with torch.no_grad():
            apart[name] = clusters.mahalanobis(model.encode(attacked)).gather(1, labels[:, None])[:, 0]
    # Four standard errors of a difference of two shares of 200 images, which are widest at one half.
    margin = 4 * (2 * 0.25 / len(images)) ** 0.5
    for name in ("plain", "semantic"):
        # Not because they learned longer: "calm" did that too.
        assert robust[name] > max(robust["baseline"], robust["calm"]) + margin
    # The same images, so the differences are paired; four standard errors of their mean.
    nearer = apart["plain"] - apart["semantic"]
    assert nearer.mean() > 4 * nearer.std() / len(nearer) ** 0.5


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    assert torch.equal(state(trained()[0]), state(trained()[0]))
    assert not torch.equal(state(trained()[0]), state(trained(seed=1)[0]))


@pytest.mark.parametrize(
    "options",
    [
        dict(alpha=0.2), dict(semantic=False), dict(attack=TrainingAttack(epsilon=0.4, steps=2)),
        dict(include_distance_in_attack=True), dict(objective="trades"), dict(epochs=2), dict(batch_size=16),
        dict(learning_rate=0.01), dict(weight_decay=0.1), dict(augment=lambda images, draws: images.flip(-1)),
    ],
)  # fmt: skip
def test_every_option_changes_the_outcome(options):
    assert not torch.equal(state(trained()[0]), state(trained(**options)[0]))


def test_beta_is_6_unless_given():
    base = state(trained(objective="trades")[0])
    assert torch.equal(base, state(trained(objective="trades", beta=6)[0]))
    assert not torch.equal(base, state(trained(objective="trades", beta=1)[0]))


def test_a_weight_of_zero_is_plain_adversarial_training():
    torch.testing.assert_close(state(trained(alpha=0.0)[0]), state(trained(semantic=False)[0]), atol=1e-6, rtol=0)


def test_the_given_model_and_data_are_left_as_they_were():
    model = small_cnn(1, 4, width=4, norm="batch", seed=0).train()
    before = training_digest({}, *model.state_dict().values(), IMAGES, LABELS, CLUSTERS.centers)
    copied, _ = trained(model)
    assert training_digest({}, *model.state_dict().values(), IMAGES, LABELS, CLUSTERS.centers) == before
    assert model.training and all(parameter.grad is None for parameter in model.parameters())
    assert not copied.training and all(parameter.grad is None for parameter in copied.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(alpha=None), "alpha: expected one with semantic=True, got None"),
        (dict(alpha=-1), "alpha: expected a finite number >= 0"),
        (dict(beta=6), 'beta: expected None with objective="pgd"'),
        (dict(objective="mart"), "objective: expected one of pgd, trades"),
        (dict(objective="trades", attack=TrainingAttack(random_start=False)), "attack: expected a random start"),
        (dict(semantic=False, include_distance_in_attack=True), "include_distance_in_attack: expected False"),
        (dict(epochs=0), "epochs: expected"),
        (dict(batch_size=0), "batch_size: expected"),
        (dict(learning_rate=0), "learning_rate: expected"),
        (dict(weight_decay=-1), "weight_decay: expected"),
        (dict(data=(IMAGES + 1, LABELS)), r"images: expected values in \[0, 1\]"),
        (dict(data=(IMAGES, LABELS[:3])), "labels: expected shape"),
        (dict(data=(IMAGES, LABELS + 1)), "labels: expected classes from 0 to 3"),
        (dict(learning_rate=1e20), "learning_rate: training diverged in epoch 1"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        trained(**options)


def test_what_the_semantic_term_lacks_or_does_not_use_is_named():
    options = dict(epochs=1, seed=0, progress=False)
    with pytest.raises(ValueError, match="cluster_index: expected one with semantic=True, got None"):
        robust_semantic_training(MODEL, IMAGES, LABELS, None, CLUSTERS, alpha=1, **options)
    with pytest.raises(ValueError, match="clusters: expected one with semantic=True, got None"):
        robust_semantic_training(MODEL, IMAGES, LABELS, LABELS, alpha=1, **options)
    with pytest.raises(ValueError, match="cluster_index: expected None with semantic=False"):
        robust_semantic_training(MODEL, IMAGES, LABELS, LABELS, semantic=False, **options)
    with pytest.raises(ValueError, match="alpha: expected None with semantic=False"):
        robust_semantic_training(MODEL, IMAGES, LABELS, alpha=1, semantic=False, **options)
    with pytest.raises(ValueError, match="cluster_index: expected classes from 0 to 3"):
        robust_semantic_training(MODEL, IMAGES, LABELS, LABELS + 1, CLUSTERS, alpha=1, **options)
    with pytest.raises(TypeError, match=r"model: expected a torch module with \.encode and \.head"):
        robust_semantic_training(torch.nn.Flatten(), IMAGES, LABELS, semantic=False, **options)
