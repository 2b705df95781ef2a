"""A checkout of two tiny notebooks, for the runner and the build."""

import pytest

from blindspots.book.repository import Layout

NOTEBOOK = """# %% [markdown]
# # A first claim

# %% tags=["parameters"]
epsilon = 0.5  # radius
steps = 3
name = "digits"
sides = [28, 32]
strict = False
device = None

# %%
import json, os, pathlib
folder = pathlib.Path(os.environ["BLINDSPOTS_RESULTS"]) / os.environ["BLINDSPOTS_PROFILE"] / "part"
folder.mkdir(parents=True, exist_ok=True)
assert epsilon >= 0, "a negative radius"
(folder / "NAME.json").write_text(json.dumps({"epsilon": epsilon, "threads": os.environ["OMP_NUM_THREADS"]}))
print("radius", epsilon)

# %% [markdown]
# A sentence about the number.
"""


@pytest.fixture
def layout(tmp_path):
    for folder in ("notebooks/part", "profiles", "book/claims"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / f"notebooks/part/{name}.py").write_text(NOTEBOOK.replace("NAME", name))
    (tmp_path / "profiles/smoke.yml").write_text(
        "description: tiny\nnotebooks:\n  part/one:\n    parameters: {epsilon: 0.25}\n  part/two: {}\n"
    )
    return Layout(tmp_path)
