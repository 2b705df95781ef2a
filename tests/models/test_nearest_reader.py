import pytest
import torch

from blindspots.models.nearest_reader import NearestReader, stroke_orientations
from blindspots.seeding import generator

CLEAN = torch.rand(12, 1, 16, 16, generator=generator(0))
LABELS = torch.arange(12) % 3


def bars(angle):
    image = torch.zeros(1, 1, 16, 16)
    image[..., 7:9, :] = 1.0
    return image.transpose(-1, -2) if angle else image


def test_a_clean_image_is_read_as_itself():
    assert torch.equal(NearestReader(CLEAN, LABELS).read(CLEAN), LABELS)


def test_a_slightly_changed_image_is_read_as_its_neighbor():
    changed = (CLEAN + 0.01).clamp(max=1)
    assert torch.equal(NearestReader(CLEAN, LABELS).read(changed), LABELS)


def test_the_distance_to_a_class_is_the_smallest_by_hand():
    reader, wanted = NearestReader(CLEAN, LABELS), (LABELS + 1) % 3
    by_hand = [
        min((CLEAN[i] - CLEAN[j]).norm().item() for j in range(12) if LABELS[j] == wanted[i]) for i in range(12)
    ]
    assert torch.allclose(reader.distance_to_class(CLEAN, wanted), torch.tensor(by_hand), atol=1e-4)


def test_chunks_do_not_change_the_answer():
    whole, parts = NearestReader(CLEAN, LABELS), NearestReader(CLEAN, LABELS, chunk=5)
    assert torch.equal(whole.read(CLEAN.flip(0)), parts.read(CLEAN.flip(0)))
    other = (LABELS + 1) % 3
    assert torch.allclose(whole.distance_to_class(CLEAN, other), parts.distance_to_class(CLEAN, other), atol=1e-4)


def test_features_decide_what_is_near():
    known = torch.cat([bars(0), bars(1)])
    faint_upright = bars(1) * 0.1  # in pixels nearer to neither by shape, in orientations plainly upright
    shifted = torch.roll(faint_upright, 1, dims=-1)
    labels = torch.tensor([0, 1])
    assert NearestReader(known, labels, features=stroke_orientations).read(shifted).item() == 1


def test_orientations_do_not_see_brightness():
    dim, bright = stroke_orientations(bars(0) * 0.3), stroke_orientations(bars(0))
    assert torch.allclose(dim, bright, atol=1e-3)
    assert (bright - stroke_orientations(bars(1))).norm() > 1


def test_dtype_is_kept():
    assert stroke_orientations(bars(0).double()).dtype == torch.float64


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="divide 8-bit images by 255"):
        NearestReader(CLEAN * 255, LABELS)
    with pytest.raises(ValueError, match=r"expected shape \(12,\)"):
        NearestReader(CLEAN, LABELS[:3])
    with pytest.raises(ValueError, match=r"a clean image to compare with, got \[7\]"):
        NearestReader(CLEAN, LABELS).distance_to_class(CLEAN[:1], torch.tensor([7]))
