"""The percentages that P1 prints in its Tables 1 to 5, cell by cell, as it prints them."""

from __future__ import annotations

from dataclasses import dataclass

_ATTACKS = ("clean", "FGSM 0.08", "FGSM 0.04", "BIM", "DeepFool", "CW")
_COLUMNS = {
    1: ("clean", "PGD", "CW", "BIM", "TPGD"),
    2: _ATTACKS,
    3: _ATTACKS,
    4: _ATTACKS,
    5: ("clean", "CW", "BIM", "DeepFool"),
}
_DATA = {1: "CIFAR-10", 2: "CIFAR-10", 3: "CIFAR-10", 4: "ImageNet-10", 5: "NSFW"}

# table | classifier | defense | one printed number per column
_PRINTED = """
1 | WRN-32-10 | none | 86.36 27.68 9.91 42.50 30.37
1 | WRN-32-10 | PGDAT+RST (PGDAT) | 79.79 67.43 50.74 62.59 75.25
1 | WRN-32-10 | PGDAT (PGDAT) | 79.06 66.74 50.46 61.25 74.69
1 | WRN-32-10 | PGDAT+RST (random) | 77.36 66.99 39.66 60.52 73.92
1 | WRN-32-10 | PGDAT (random) | 75.63 65.55 52.26 57.86 73.57
1 | WRN-32-10 | PGDAT+RST (TRADES) | 87.56 73.60 56.30 75.27 78.18
2 | AlexNet | ACSR | 91.07 73.07 76.78 83.92 82.69 86.53
2 | VGG-16 | ACSR | 94.23 78.57 75.00 76.78 83.92 87.05
2 | ResNet-50 | ACSR | 95.19 76.78 86.53 84.61 90.38 90.78
2 | GoogLeNet | ACSR | 90.38 79.80 83.65 87.5 88.5 85.57
3 | VGG-16 | none | 94.23 58.16 65.23 18.03 17.60 9.36
3 | VGG-16 | MagNet | 90.35 61.45 65.21 43.12 65.35 48.45
3 | VGG-16 | PixelDefend | 85.26 68.10 73.29 77.29 74.14 75.79
3 | VGG-16 | STL | 83.60 71.03 75.47 75.31 79.59 79.06
3 | VGG-16 | ACSR | 94.23 78.57 75.00 76.78 83.92 87.50
4 | VGG-16 | none | 86.65 28.16 30.8 18.83 8.11 7.51
4 | VGG-16 | TVM | 75.55 59.97 69.3 71.56 72.1 71.87
4 | VGG-16 | Quilting | 77.41 73.04 74.18 76.42 76.46 76.62
4 | VGG-16 | Crop-Ens | 75.08 69.68 72.21 73.69 74.01 73.04
4 | VGG-16 | PD-Ens | 82.5 66.34 76.07 79.03 79.55 78.13
4 | VGG-16 | STL | 84.21 75.14 80.38 81.03 82.21 81.22
4 | VGG-16 | ACSR | 87.50 84.37 78.12 87.50 84.37 81.25
5 | NSFW-ResNet-50 | none | 86.87 61.82 69.23 53.84
5 | NSFW-ResNet-50 | ACSR | 83.89 76.34 75.07 82.69
5 | NSFW-AlexNet | none | 94.23 69.23 71.15 5.76
5 | NSFW-AlexNet | ACSR | 94.21 82.75 82.69 80.76
"""


@dataclass(frozen=True)
class ReportedCell:
    """One number of a table of P1.

    `table` is 1 to 5; `data`, `model`, `defense` and `attack` name the cell ("clean" and "none" for no attack and no
    defense); `printed` is the accuracy in percent as the paper prints it, decimals included; `value` the same as a
    number.
    """

    table: int
    data: str
    model: str
    defense: str
    attack: str
    printed: str

    @property
    def value(self) -> float:
        """The printed accuracy, 0 to 100 %."""
        return float(self.printed)


def reported_cells(*tables: int) -> tuple[ReportedCell, ...]:
    """Return the cells of P1's tables in reading order.

    Args:
        tables: which of 1 to 5; none means all.

    Raises:
        ValueError: a table that the paper does not have.

    Source: P1, Tables 1 to 5. Of Table 4 the half at 64 x 64 only: of the half at 128 x 128 a single column of the
    text survives, without its heading. Table 5's areas under the curve and F1 scores are left out.
    """
    unknown = [table for table in tables if table not in _COLUMNS]
    if unknown:
        raise ValueError(f"tables: expected numbers of {', '.join(map(str, _COLUMNS))}; got {unknown[0]!r}")
    cells = []
    for line in _PRINTED.strip().splitlines():
        number, model, defense, printed = (part.strip() for part in line.split("|"))
        table = int(number)
        if not tables or table in tables:
            row = zip(_COLUMNS[table], printed.split(), strict=True)
            cells += [ReportedCell(table, _DATA[table], model, defense, attack, text) for attack, text in row]
    return tuple(cells)
