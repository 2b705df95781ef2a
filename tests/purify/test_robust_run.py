"""The loop of adversarial training: taken up again, it ends where it would have ended."""

import pytest
import torch

from blindspots.purify.robust_run import RobustRun, RobustTraining, tensors_of, training_digest
from blindspots.seeding import generator

INPUTS = torch.rand(20, 3, generator=generator(1))
TARGETS = INPUTS @ torch.tensor([[1.0], [-2.0], [0.5]])
OPTIONS = dict(epochs=4, batch_size=6, learning_rate=0.05, weight_decay=0.0, seed=0)


def network():
    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 1))
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.rand(parameter.shape, generator=generator(index)) - 0.5)
    return model


@pytest.fixture
def model():
    with torch.random.fork_rng(devices=[]):
        return network()


def go(model, file=None, digest="this", interrupt_after=None, seen=None, **options):
    calls = 0

    def batch_terms(indices, draws):
        nonlocal calls
        calls += 1
        if interrupt_after is not None and calls > interrupt_after:
            raise KeyboardInterrupt
        if seen is not None:
            seen.append(indices)
        noise = 0.1 * torch.randn(len(indices), 3, generator=draws)
        loss = (model(INPUTS[indices] + noise) - TARGETS[indices]).square().mean()
        return {"loss": loss, "cross_entropy": loss, "adversarial_accuracy": loss.detach() * 0}

    return RobustRun(model, len(INPUTS), OPTIONS | options, file, digest).go(batch_terms, False)


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_an_interrupted_training_ends_with_the_same_bits(model, tmp_path):
    with torch.random.fork_rng(devices=[]):
        whole, again = network(), network()
    history = go(whole)
    file = tmp_path / "folder" / "progress.pt"
    with pytest.raises(KeyboardInterrupt):
        go(model, file, interrupt_after=10)  # four batches an epoch: in the middle of the third
    seen = []
    taken_up = go(again, file, seen=seen)
    assert len(seen) == 2 * 4  # the third and fourth epoch only
    assert torch.equal(weights(again), weights(whole))
    assert [epoch.loss for epoch in taken_up] == [epoch.loss for epoch in history]
    assert list(file.parent.iterdir()) == [file]


def test_every_image_is_visited_once_an_epoch_in_a_new_order(model):
    seen = []
    history = go(model, seen=seen, epochs=2)
    first, second = torch.cat(seen[:4]), torch.cat(seen[4:])
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(20))
    assert not torch.equal(first, second)
    assert {len(indices) for indices in seen} == {5}
    assert len(history) == 2 and history[1].loss < history[0].loss


def test_the_rate_rises_and_falls(model):
    rates = [epoch.learning_rate for epoch in go(model, epochs=10)]
    assert max(rates) <= 0.05 and rates.index(max(rates)) == 3  # the peak is at 30 % of the steps
    assert rates[:4] == sorted(rates[:4]) and rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] < 0.001


def test_the_progress_of_another_training_is_refused(model, tmp_path):
    go(model, tmp_path / "progress.pt")
    with pytest.raises(ValueError, match="progress_file: expected the progress of this computation"):
        go(model, tmp_path / "progress.pt", digest="that")


def test_a_damaged_file_is_named(model, tmp_path):
    (tmp_path / "progress.pt").write_bytes(b"not a file of torch's")
    with pytest.raises(ValueError, match="progress_file: expected the progress of this computation in"):
        go(model, tmp_path / "progress.pt")


def test_divergence_is_named(model):
    with pytest.raises(ValueError, match="learning_rate: training diverged in epoch"):
        go(model, learning_rate=1e25)


def test_a_record_survives_as_json(model):
    result = RobustTraining(go(model), 1.5)
    assert RobustTraining.from_dict(result.as_dict()) == result


def test_the_digest_tells_options_values_shapes_and_types_apart():
    base = training_digest({"a": 1}, torch.zeros(4))
    assert base == training_digest({"a": 1}, torch.zeros(4))
    others = [
        training_digest({"a": 2}, torch.zeros(4)), training_digest({"a": 1}, torch.ones(4)),
        training_digest({"a": 1}, torch.zeros(2, 2)), training_digest({"a": 1}, torch.zeros(4).int()),
        training_digest({"a": 1}),
    ]  # fmt: skip
    assert len({base, *others}) == 6


def test_the_tensors_of_an_object_are_found_in_order_of_their_names():
    class Holder:
        def __init__(self):
            self.second = (torch.tensor(2), torch.tensor(3), "text")
            self.first = torch.tensor(1)
            self.third = 5

    assert [int(tensor) for tensor in tensors_of(Holder())] == [1, 2, 3]
    assert tensors_of(None) == []
