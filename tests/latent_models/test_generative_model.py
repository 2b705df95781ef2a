"""The interface is met by what has its parts, and not by what lacks one."""

from types import SimpleNamespace

from blindspots.latent_models.generative_model import GenerativeModel

PARTS = {
    "latent_size": 2, "n_classes": 3, "classes": (0, 1), "image_shape": (1, 8, 8), "decode": max, "encode": max,
}  # fmt: skip


def test_a_model_needs_every_part():
    assert isinstance(SimpleNamespace(**PARTS), GenerativeModel)
    for name in PARTS:
        lacking = {key: value for key, value in PARTS.items() if key != name}
        assert not isinstance(SimpleNamespace(**lacking), GenerativeModel)
