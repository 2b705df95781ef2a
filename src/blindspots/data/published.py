"""What publishers give: the files of each official set, their sizes and checksums, and where to get them.

A checksum stands here only if the publisher or torchvision prints it, if it was computed from bytes that
agree with such a checksum, or (cifar10h and images.csv) from a copy of the publisher's repository. `None`
means that none is known, and such a file is reported as "unknown".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PublishedFile:
    """One file of a set: path below the set's folder, size in bytes, checksums; None if unknown.

    The set can be read without a file that is `optional`.
    """

    path: str
    size: int | None = None
    md5: str | None = None
    sha256: str | None = None
    optional: bool = False


@dataclass(frozen=True)
class PublishedSet:
    """A set as its publisher gives it.

    `folder` is the folder below the data root, `layout` says in words what it holds, `page` is where a person
    gets it, `automatic` is whether its licence and its host allow `fetch` to download it. `variants` holds
    alternative lists of files, the preferred one first; one of them is enough.
    """

    name: str
    folder: str
    page: str
    licence: str
    layout: str
    variants: tuple[tuple[PublishedFile, ...], ...]
    automatic: bool = False

    def remedy(self) -> str:
        """Return how to get the set, as a phrase for an error message."""
        by_hand = f"get it from {self.page} and lay it out as {self.folder}/{self.layout}"
        if self.automatic:
            return f"run `blindspots data fetch {self.name}`, or {by_hand}"
        return f"{by_hand} (no automatic download: its terms forbid it, or no checksum is published)"


def checksum_state(path: Path, published: PublishedFile) -> str:
    """Return "ok", "differs" or "unknown": whether a file's bytes are those of its publisher."""
    if published.size is not None and path.stat().st_size != published.size:
        return "differs"
    for kind in ("sha256", "md5"):
        expected = getattr(published, kind)
        if expected is not None:
            return "ok" if file_digest(path, kind) == expected else "differs"
    return "unknown"


def file_digest(path: Path, kind: str = "sha256") -> str:
    """Return the hexadecimal digest of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


_MNIST = (
    PublishedFile(
        "MNIST/raw/train-images-idx3-ubyte",
        47_040_016,
        "6bbc9ace898e44ae57da46a324031adb",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    PublishedFile(
        "MNIST/raw/train-labels-idx1-ubyte",
        60_008,
        "a25bea736e30d166cdddb491f175f624",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    PublishedFile(
        "MNIST/raw/t10k-images-idx3-ubyte",
        7_840_016,
        "2646ac647ad5339dbf082846283269ea",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    PublishedFile(
        "MNIST/raw/t10k-labels-idx1-ubyte",
        10_008,
        "27ae3e4e09519cfbb04c329615203637",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)

_CIFAR10_BINARY = tuple(
    PublishedFile(f"cifar-10-batches-bin/{name}.bin", 30_730_000, md5, sha256)
    for name, md5, sha256 in (
        (
            "data_batch_1",
            "5dd7e06a14cb22eb9f671a540d1b7c25",
            "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        ),
        (
            "data_batch_2",
            "5ea93a67294ea407fff1d09f752e9692",
            "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        ),
        (
            "data_batch_3",
            "942cd6a4bcdd0dd3c604fbe906cb4421",
            "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        ),
        (
            "data_batch_4",
            "ae636b3ba5c66a11e91e8cb52e771fcb",
            "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        ),
        (
            "data_batch_5",
            "53f37980c15c3d472c316c40844f3f0d",
            "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        ),
        (
            "test_batch",
            "803d5f7f4d78ea53de84dbe85f74fb6d",
            "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        ),
    )
)

_CIFAR10_PYTHON = tuple(
    PublishedFile(f"cifar-10-batches-py/{name}", None, md5)
    for name, md5 in (
        ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
        ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
        ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
        ("data_batch_4", "634d18415352ddfa80567beed471001a"),
        ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
        ("test_batch", "40351d587109b95175f43aff81a1287e"),
    )
)

_ADULT = (
    PublishedFile(
        "adult.data",
        3_974_305,
        "5d7c39d7b8804f071cdd1f2a7c460872",
        "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    ),
    PublishedFile(
        "adult.test",
        2_003_153,
        "35238206dfdf7f1fe215bbb874adecdc",
        "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
    ),
)

_IMAGENET_LABELS, _IMAGENET_LABELS_RENAMED = (
    (
        PublishedFile("real.json"),
        PublishedFile(f"{prefix}raters.npz"),
        PublishedFile(f"{prefix}golden.npz", optional=True),
        PublishedFile(f"{prefix}raters_golden.npz", optional=True),
        PublishedFile("imagenet_val_labels_and_cv_pred.csv.gz", optional=True),
        PublishedFile("cleanlab_imagenet_mturk.json", optional=True),
        PublishedFile("timm_results-imagenet.csv", optional=True),
        PublishedFile("timm_results-imagenet-real.csv", optional=True),
    )
    for prefix in ("", "real_")
)

PUBLISHED: dict[str, PublishedSet] = {
    published.name: published
    for published in (
        PublishedSet(
            "mnist",
            "mnist",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)",
            "MNIST/raw/train-images-idx3-ubyte and its three companions, unpacked",
            (_MNIST,),
            automatic=True,
        ),
        PublishedSet(
            "cifar10",
            "cifar10",
            "https://www.cs.toronto.edu/~kriz/cifar.html",
            "none stated by the publisher; cite Krizhevsky (2009)",
            "cifar-10-batches-bin/ (binary version) or cifar-10-batches-py/ (Python version)",
            (_CIFAR10_BINARY, _CIFAR10_PYTHON),
            automatic=True,
        ),
        PublishedSet(
            "cifar10_lossless",
            "cifar10",
            "https://www.cs.toronto.edu/~kriz/cifar.html",
            "none stated by the publisher; cite Krizhevsky (2009)",
            "cifar10_lossless_train_8068.npz and cifar10_lossless_test_first1017.npz (arrays images "
            "(N, 32, 32, 3) uint8, index and labels), a part of the original images; with the whole archive "
            "load cifar10 instead",
            (
                (
                    PublishedFile("cifar10_lossless_train_8068.npz"),
                    PublishedFile("cifar10_lossless_test_first1017.npz"),
                ),
            ),
        ),
        PublishedSet(
            "cifar10_predictions",
            "cifar10",
            "https://github.com/modestyachts/CIFAR-10.1",
            "MIT (predictions); Apache-2.0 (votes, https://github.com/cleanlab/label-errors)",
            "cifar10_test_model_predictions.npz (an array (10000,) of classes for each model) and, if at hand, "
            "cleanlab_cifar10_mturk.json",
            (
                (
                    PublishedFile("cifar10_test_model_predictions.npz"),
                    PublishedFile("cleanlab_cifar10_mturk.json", optional=True),
                ),
            ),
        ),
        PublishedSet(
            "cifar10h",
            "cifar10h",
            "https://github.com/jcpeterson/cifar-10h",
            "CC BY-NC-SA 4.0: attribution, no commercial use, same licence for derived data",
            "cifar10h-counts.npy",
            (
                (
                    PublishedFile(
                        "cifar10h-counts.npy",
                        800_128,
                        None,
                        "9b36b4550349af56c79083356312eb4af856cc5fd3caf1f669d40b9d0bbb69ff",
                    ),
                ),
            ),
            automatic=True,
        ),
        PublishedSet(
            "celeba",
            "celeba",
            "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
            "non-commercial research only, no redistribution; agree to the terms on the publisher's page",
            "img_align_celeba/*.jpg, list_attr_celeba.txt and list_eval_partition.txt",
            (
                (
                    PublishedFile("list_attr_celeba.txt", None, "75e246fa4810816ffd6ee81facbd244c"),
                    PublishedFile(
                        "list_eval_partition.txt", None, "d32c9cbf5e040fd4025c592c306e6668", optional=True
                    ),
                ),
            ),
        ),
        PublishedSet(
            "utkface",
            "utkface",
            "https://susanqq.github.io/UTKFace/",
            "non-commercial research only; the copyright of the images is their owners'",
            "UTKFace/[age]_[gender]_[race]_[date].jpg.chip.jpg (the aligned and cropped faces)",
            ((),),
        ),
        PublishedSet(
            "dollar_street",
            "dollar_street",
            "https://mlcommons.org/datasets/dollar-street/",
            "Creative Commons with attribution, commonly given as CC BY-SA 4.0; not checked here, the terms that come "
            "with your copy hold",
            "assets/, images_v2.csv, images_v2_imagenet_train.csv and images_v2_imagenet_test.csv",
            ((),),
        ),
        PublishedSet(
            "geode",
            "geode",
            "https://geodiverse-data-collection.cs.princeton.edu/",
            "CC BY, as its page says",
            "index.csv and images/",
            ((),),
        ),
        PublishedSet(
            "adult",
            "adult",
            "https://archive.ics.uci.edu/dataset/2/adult",
            "CC BY 4.0 (UCI Machine Learning Repository)",
            "adult.data and adult.test",
            (_ADULT,),
            automatic=True,
        ),
        PublishedSet(
            "meps",
            "meps",
            "https://meps.ahrq.gov/mepsweb/data_stats/download_data_files.jsp",
            "AHRQ public-use terms: statistical use only, no attempt to identify a person",
            "meps_panel21_fy2016.csv (panel 21 of HC-192 as AIF360 prepares it: the survey's column names, "
            "UTILIZATION = 1 for at least 10 visits, RACE = 1 for white)",
            ((PublishedFile("meps_panel21_fy2016.csv"),),),
        ),
        PublishedSet(
            "imagenet_compatible",
            "imagenet_compatible",
            "https://github.com/ZhengyuZhao/PerC-Adversarial",
            "CC BY 2.0 for each photograph; images.csv names its author",
            "images/<ImageId>.png (299x299) and images.csv",
            (
                (
                    PublishedFile(
                        "images.csv",
                        None,
                        None,
                        "b85ae40a1d5d0d95b77d30b8cabec140020a00cbcc9aebc6921b77a270fb743d",
                    ),
                ),
            ),
        ),
        PublishedSet(
            "imagenet_labels",
            "imagenet_labels",
            "https://github.com/google-research/reassessed-imagenet",
            "Apache-2.0",
            "real.json and raters.npz (and, if at hand, golden.npz, raters_golden.npz, "
            "imagenet_val_labels_and_cv_pred.csv.gz, cleanlab_imagenet_mturk.json and "
            "timm_results-imagenet*.csv)",
            (_IMAGENET_LABELS, _IMAGENET_LABELS_RENAMED),
        ),
    )
}
