"""What the kernels ask of latents, labels and decoders."""

import pytest
import torch

from blindspots.latent.inputs import both_judged, check_latents, check_rows, check_subjects, decoded, judged_decoder

LATENTS, LABELS = torch.zeros(2, 3), torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("latents", "error", "message"),
    [
        (torch.zeros(3), ValueError, "expected shape"),
        (torch.zeros(0, 3), ValueError, "N, D >= 1"),
        (torch.zeros(2, 3).long(), TypeError, "expected a float tensor"),
        (torch.full((1, 1), float("nan")), ValueError, "expected finite values"),
    ],
)
def test_bad_latents(latents, error, message):
    with pytest.raises(error, match=message):
        check_latents(latents)


def test_labels_and_batch_size():
    check_subjects(LATENTS, LABELS, 1)
    with pytest.raises(ValueError, match="labels: expected shape"):
        check_subjects(LATENTS, LABELS[:1], 1)
    with pytest.raises(ValueError, match="batch_size"):
        check_subjects(LATENTS, LABELS, 0)


def test_rows_count_up_unless_given():
    assert check_rows(None, 3, torch.device("cpu")).tolist() == [0, 1, 2]
    assert check_rows(torch.tensor([5, 1]), 2, torch.device("cpu")).tolist() == [5, 1]
    with pytest.raises(TypeError, match="rows"):
        check_rows(torch.zeros(2), 2, torch.device("cpu"))


def test_decoders_must_return_images():
    images = decoded(lambda latents, labels: torch.full((len(latents), 1, 2, 2), 0.5), LATENTS, LABELS)
    assert images.shape == (2, 1, 2, 2)
    for answer, message in [
        (torch.zeros(2, 4), "decode: expected images"),
        (torch.zeros(1, 1, 2, 2), "decode: expected images"),
        (None, "decode: expected images"),
        (torch.full((2, 1, 2, 2), -1.0), "decoded images: expected values in"),
        (torch.full((2, 1, 2, 2), float("nan")), "decoded images: expected finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            decoded(lambda latents, labels, answer=answer: answer, LATENTS, LABELS)


def test_both_networks_get_their_mode_back():
    model, decode = torch.nn.Dropout(), torch.nn.Dropout().eval()
    with both_judged(model, decode):
        assert not model.training and not decode.training
    assert model.training and not decode.training


def test_a_method_is_judged_with_the_module_it_belongs_to():
    class Autoencoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.noise = torch.nn.Dropout(0.9)

        def decode(self, latents, labels):
            return self.noise(torch.ones(len(latents), 1, 2, 2))

    network = Autoencoder()
    with judged_decoder(network.decode):
        assert (decoded(network.decode, LATENTS, LABELS) == 1).all()
    assert network.training and network.noise.training
