"""Encoding columns as features."""

import pandas as pd

from blindspots.data.official.tables import encode, fit_encoding


def test_numbers_are_standardized_and_categories_one_hot_as_in_train():
    train = pd.DataFrame({"age": [10, 20, 30], "same": [5, 5, 5], "work": ["b", "a", "b"]})
    encoding = fit_encoding(train, ("age", "same"), ("work",))
    assert encoding.columns == ("age", "same", "work=a", "work=b")
    other = pd.DataFrame({"age": [20, 20], "same": [5, 6], "work": ["a", "c"]})
    assert encode(other, encoding).tolist() == [[0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    # Ages 10, 20, 30 have the population deviation sqrt(200 / 3) = 8.16497.
    assert abs(encode(train, encoding)[0, 0].item() + 10 / 8.16497) < 1e-5
