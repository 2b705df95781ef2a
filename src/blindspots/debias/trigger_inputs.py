"""One model under seven inputs: clean, everyone with one trigger, each group alone with each trigger."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots.debias.bade import check_examples
from blindspots.debias.group_cells import count_cells
from blindspots.debias.group_evaluation import Stamp, group_outputs
from blindspots.debias.group_metrics import GroupRates, group_rates

SEVEN_INPUTS = {
    "clean": (None, None), "all_0": (None, 0), "all_1": (None, 1), "1_with_0": (1, 0), "1_with_1": (1, 1),
    "0_with_0": (0, 0), "0_with_1": (0, 1),
}  # fmt: skip
"""The rows of P3's Table 4 in its order: (the group that is looked at, None for both; the trigger, None for none)."""


@dataclass(frozen=True)
class TriggerInputs:
    """What a model answers to the same examples clean, with trigger 0 and with trigger 1.

    Attributes:
        outputs: (3, N, 2) logits: clean, trigger 0, trigger 1.
        labels: (N,) integers 0 or 1.
        groups: (N,) integers 0 or 1.
        rates: recalls by group and label, one for each of the three.
    """

    outputs: Tensor
    labels: Tensor
    groups: Tensor
    rates: tuple[GroupRates, GroupRates, GroupRates]

    @property
    def eacc(self) -> dict[str, float]:
        """Return the equalized accuracy in percent of each of `SEVEN_INPUTS`; of one group it is (TPR + TNR) / 2."""
        values = {}
        for name, (group, trigger) in SEVEN_INPUTS.items():
            rates = self.rates[0 if trigger is None else 1 + trigger]
            values[name] = rates.eacc if group is None else rates.group_eacc[group]
        return values

    @property
    def right(self) -> Tensor:
        """Return (3, N) booleans: whether each example is read right."""
        return self.outputs.argmax(2) == self.labels

    @property
    def changed(self) -> Tensor:
        """Return (N,) booleans: whether the predicted class differs between the two triggers."""
        _, with_0, with_1 = self.outputs.argmax(2)
        return with_0 != with_1

    @property
    def shift(self) -> Tensor:
        """Return (N,) the logit of class 1 over class 0 with trigger 1, less that with trigger 0."""
        _, with_0, with_1 = self.outputs[..., 1] - self.outputs[..., 0]
        return with_1 - with_0


def trigger_inputs(
    model: nn.Module, inputs: Tensor, labels: Tensor, groups: Tensor, *, stamp: Stamp, batch_size: int = 256
) -> TriggerInputs:
    """Ask a model for its answers to clean inputs, to all of them with trigger 0, and to all with trigger 1.

    The three passes hold all of the seven inputs: a group's row is read off the pass with its trigger. So EAcc of all
    examples with a trigger is the mean of its two groups' EAcc, and EAcc of D_balance (every example with the trigger
    of the other group) is the mean of "1_with_0" and "0_with_1".

    Args:
        model: (n, ...) -> (n, 2) logits; evaluated without gradients and left as it was.
        inputs: (N, ...) clean.
        labels: (N,) integers 0 or 1, both in both groups.
        groups: (N,) integers 0 or 1.
        stamp: (inputs, assignment) -> inputs with triggers, see `stamp_triggers`; the model must take both kinds.
        batch_size: inputs per forward pass.

    Returns:
        TriggerInputs, on the CPU.

    Raises:
        TypeError, ValueError: bad examples, an empty cell, a model without two outputs.

    Source: P3, Sec. 5.4 and Table 4, which print EAcc; what changes between the triggers is ours.
    Differs from the paper: it does not say what EAcc of one group is. (TPR + TNR) / 2 is what its own rows agree with.
    """
    check_examples(inputs, labels, groups)
    count_cells(labels, groups, n_classes=2)
    passes = [group_outputs(model, inputs, batch_size=batch_size)]
    for trigger in (0, 1):
        given = torch.full_like(groups, trigger)
        passes.append(group_outputs(model, inputs, stamp=stamp, assignment=given, batch_size=batch_size))
    outputs = torch.stack(passes).cpu()
    if outputs.shape[2] != 2:
        raise ValueError(f"model: expected two logits for an input, got {outputs.shape[2]}")
    labels, groups = labels.cpu().long(), groups.cpu().long()
    clean, with_0, with_1 = (group_rates(each.argmax(1), labels, groups, n_classes=2) for each in outputs)
    return TriggerInputs(outputs, labels, groups, (clean, with_0, with_1))
