"""A stream per row: draws depend on the row, the seed and the purpose, and on nothing else."""

import torch

from blindspots.latent.row_streams import row_normals, row_uniforms


def test_draws_do_not_depend_on_the_other_rows():
    rows = torch.tensor([7, 2, 900])
    for draw in (lambda rows: row_normals(rows, 20, seed=1), lambda rows: row_uniforms(rows, seed=1)):
        whole = draw(rows)
        assert torch.equal(draw(rows.flip(0)), whole.flip(0)) and torch.equal(draw(rows[1:2]), whole[1:2])
        assert whole.unique(dim=0).shape[0] == 3


def test_seed_and_names_are_other_streams():
    rows = torch.arange(3)
    first = row_normals(rows, 4, seed=1, names=("start", 1))
    assert torch.equal(first, row_normals(rows, 4, seed=1, names=("start", 1)))
    assert not torch.equal(first, row_normals(rows, 4, seed=2, names=("start", 1)))
    assert not torch.equal(first, row_normals(rows, 4, seed=1, names=("start", 2)))


def test_uniforms_lie_in_the_unit_interval():
    drawn = row_uniforms(torch.arange(500), seed=0)
    # The standard error of the mean is 0.013.
    assert drawn.min() >= 0 and drawn.max() < 1 and abs(drawn.mean().item() - 0.5) < 0.05
