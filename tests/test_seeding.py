import pytest
import torch

from blindspots.seeding import derive_seed, generator


def test_the_same_seed_and_names_give_the_same_numbers():
    first, second = (torch.rand(4, generator=generator(3, "start")) for _ in range(2))
    assert torch.equal(first, second)


def test_another_seed_or_name_gives_other_numbers():
    made_all = (generator(3), generator(4), generator(3, "a"), generator(3, "b"))
    draws = [torch.rand(4, generator=made) for made in made_all]
    assert len({tuple(draw.tolist()) for draw in draws}) == 4


def test_a_plain_seed_is_torchs_own():
    assert torch.equal(torch.rand(3, generator=generator(7)), torch.rand(3, generator=torch.Generator().manual_seed(7)))


def test_names_are_kept_apart():
    assert derive_seed(1, "ab", "c") != derive_seed(1, "a", "bc")


def test_a_seed_that_is_not_an_integer_is_refused():
    with pytest.raises(TypeError, match="seed: expected an integer, got float"):
        generator(1.0)
