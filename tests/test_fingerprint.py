"""What a fingerprint of tensors sees, and what it does not depend on."""

import torch

from blindspots.fingerprint import fingerprint


def test_fingerprint_sees_values_shape_and_dtype():
    base = torch.arange(6)
    prints = {
        fingerprint(base),
        fingerprint(base.view(2, 3)),
        fingerprint(base.int()),
        fingerprint(base.flip(0)),
    }
    assert len(prints) == 4
    assert fingerprint(base) == fingerprint(base.clone())


def test_fingerprint_does_not_depend_on_strides():
    table = torch.arange(10).view(2, 5)
    assert fingerprint(table[:1, 0]) == fingerprint(torch.tensor([0]))
    assert fingerprint(table.T) == fingerprint(table.T.contiguous())
    assert fingerprint(torch.tensor(3.0)) != fingerprint(torch.tensor([3.0]))
    assert fingerprint(table[:0]) != fingerprint(table[:0, :3])


def test_fingerprint_sees_where_one_tensor_ends_and_the_next_begins():
    assert fingerprint(torch.arange(4), torch.arange(2)) != fingerprint(torch.arange(2), torch.arange(4))


def test_fingerprint_takes_empty_tensors_scalars_and_axes_of_length_one():
    # A transposed row is contiguous for torch, although its last axis has another stride.
    column = torch.arange(5).view(1, 5).t()
    assert column.is_contiguous() and column.stride(-1) != 1
    assert fingerprint(column) == fingerprint(torch.arange(5).view(5, 1))
    assert fingerprint(torch.zeros(0, 3)) != fingerprint(torch.zeros(3, 0))
    assert fingerprint(torch.tensor(1)) != fingerprint(torch.tensor(2))
