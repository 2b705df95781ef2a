import torch
from torch import nn

from blindspots.types import FeatureClassifier, PreparedDistance


class Split(nn.Module):
    def encode(self, images):
        return images.flatten(1)

    def head(self, features):
        return features[:, :2]

    def forward(self, images):
        return self.head(self.encode(images))


class Prepared:
    def __call__(self, images):
        return images.sum((1, 2, 3))

    def select(self, indices):
        return self


def test_a_model_with_encode_and_head_is_a_feature_classifier():
    assert isinstance(Split(), FeatureClassifier)
    assert Split()(torch.ones(3, 1, 2, 2)).shape == (3, 2)


def test_a_plain_network_is_none():
    assert not isinstance(nn.Identity(), FeatureClassifier)


def test_a_distance_with_select_is_prepared_and_a_function_is_not():
    assert isinstance(Prepared(), PreparedDistance)
    assert not isinstance(lambda images: images, PreparedDistance)
