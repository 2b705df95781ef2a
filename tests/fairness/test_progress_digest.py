"""A digest tells computations apart, and an attack's description tells attacks apart."""

from functools import partial

import torch

from blindspots.attacks import NamedAttack, pgd_l2_until_flipped
from blindspots.fairness.progress_digest import described, progress_digest


def test_the_digest_knows_options_and_tensors():
    base = progress_digest({"rounds": 2}, torch.zeros(3))
    assert base == progress_digest({"rounds": 2}, torch.zeros(3))
    assert base != progress_digest({"rounds": 3}, torch.zeros(3))
    assert base != progress_digest({"rounds": 2}, torch.zeros(3, dtype=torch.float64))
    assert base != progress_digest({"rounds": 2}, torch.tensor([0.0, 0.0, 1e-30]))


def test_attacks_are_told_apart_by_name_options_and_settings():
    names = [
        described(pgd_l2_until_flipped),
        described(partial(pgd_l2_until_flipped, steps=3)),
        described(partial(pgd_l2_until_flipped, steps=4)),
        described(NamedAttack(pgd_l2_until_flipped, settings={"steps": 3})),
        described(NamedAttack(pgd_l2_until_flipped, settings={"steps": 4})),
    ]
    assert len(set(names)) == 5 and "pgd_l2_until_flipped" in names[0]
    assert described(partial(pgd_l2_until_flipped, steps=3)) == names[1]
