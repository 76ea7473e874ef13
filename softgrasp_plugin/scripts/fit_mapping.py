"""`softgrasp-fit-mapping`: fit the angle mapping f from glove to hand (SoftGrasp, section 3.1, Table 1).

Put the glove on the robot hand, move every joint through its whole range and write both sides down. Then:

```shell
softgrasp-fit-mapping --pairs=pairs.csv --output_dir=outputs/mapping
```

The pairs are a CSV file with a header, or an NPZ file with arrays of shape (N,), whose columns are
``glove_<joint>`` (normalised glove angle, 0 straight … 1 bent) and ``hand_<joint>`` (closure, 0 open … 1
closed) for every joint: little_bend, ring_bend, middle_bend, index_bend, thumb_bend, thumb_swing. Other
columns are ignored. The output folder receives ``mapping.json``, which the glove loads, and
``mapping_fit.png``.
"""

import csv
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..bounds import require_within
from ..grasping.mapping import PAPER_ORDERS, AngleMapping, fit_mapping
from ..joints import JOINTS, FloatArray
from ..options import parse_options, refuses_in_words

GLOVE_COLUMNS: tuple[str, ...] = tuple(f"glove_{joint}" for joint in JOINTS)
HAND_COLUMNS: tuple[str, ...] = tuple(f"hand_{joint}" for joint in JOINTS)


@refuses_in_words
@dataclass
class FitMappingConfig:
    """Options of `softgrasp-fit-mapping`."""

    # CSV or NPZ file of pairs; see the columns above.
    pairs: Path
    # Folder for mapping.json and mapping_fit.png; made if it does not exist.
    output_dir: Path = Path("outputs/mapping")
    # Order of the polynomial of each joint, in the order of the joints.
    orders: tuple[int, ...] = PAPER_ORDERS

    def __post_init__(self) -> None:
        for order in self.orders:
            require_within("--orders", order, 1, 16)


def read_pairs(path: Path) -> tuple[FloatArray, FloatArray]:
    """Read pairs of glove angles and hand closures.

    Args:
        path: a `.csv` or `.npz` file with the columns `GLOVE_COLUMNS` and `HAND_COLUMNS`.

    Returns:
        Glove angles (N, 6) and closures (N, 6).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another kind, lacks a column, or holds something that is not a number.
    """
    readers = {".csv": _read_csv, ".npz": _read_npz}
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path}: expected a .csv or .npz file")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    columns = readers[path.suffix.lower()](path)
    missing = [name for name in GLOVE_COLUMNS + HAND_COLUMNS if name not in columns]
    if missing:
        raise ValueError(f"{path}: the columns {', '.join(missing)} are missing; found {', '.join(columns)}")
    lengths = {name: len(columns[name]) for name in GLOVE_COLUMNS + HAND_COLUMNS}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{path}: the columns differ in length: {lengths}")
    glove = np.stack([columns[name] for name in GLOVE_COLUMNS], axis=1)
    hand = np.stack([columns[name] for name in HAND_COLUMNS], axis=1)
    return glove, hand


def _read_csv(path: Path) -> dict[str, FloatArray]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        names = [name for name in reader.fieldnames or [] if name in GLOVE_COLUMNS + HAND_COLUMNS]
        rows = list(reader)
    columns: dict[str, FloatArray] = {}
    for name in names:
        values = np.empty(len(rows))
        for index, row in enumerate(rows):
            try:
                values[index] = float(row[name])
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"{path}, row {index + 2}, column {name}: expected a number, got {row[name]!r}"
                ) from error
        columns[name] = values
    return columns


def _read_npz(path: Path) -> dict[str, FloatArray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            columns = {name: np.asarray(archive[name], dtype=np.float64) for name in archive.files}
    except (zipfile.BadZipFile, EOFError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is not an NPZ file of plain number arrays: {error}") from error
    for name, values in columns.items():
        if values.ndim != 1:
            raise ValueError(f"{path}: the array {name} must have shape (N,), got {values.shape}")
    return columns


def summary(mapping: AngleMapping) -> str:
    """Coefficients, standard deviation and domain per joint, as a table to print."""
    rows = [("joint", "residual std", "valid domain", "coefficients, highest power first")]
    for name, joint in zip(JOINTS, mapping.joints, strict=True):
        low, high = joint.domain
        coefficients = "  ".join(f"{value:.5g}" for value in joint.coefficients)
        rows.append((name, f"{joint.residual_std:.3e}", f"{low:.3f} … {high:.3f}", coefficients))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def run(config: FitMappingConfig) -> AngleMapping:
    """Fit, print, and write `mapping.json` and `mapping_fit.png`.

    Raises:
        FileNotFoundError: if there is no file of pairs.
        ValueError: if the pairs cannot be read or fitted.
    """
    # Drawing is the last step, and matplotlib slow to load: a bad file should fail at once.
    glove, hand = read_pairs(config.pairs)
    mapping = fit_mapping(glove, hand, config.orders)
    print(f"{len(glove)} pairs from {config.pairs}\n\n{summary(mapping)}\n")

    from ..figures.mapping_fit import draw_mapping_fit
    from ..figures.style import save

    config.output_dir.mkdir(parents=True, exist_ok=True)
    mapping.save(config.output_dir / "mapping.json")
    save(draw_mapping_fit(mapping, glove, hand), config.output_dir / "mapping_fit.png")
    print(f"Wrote {config.output_dir / 'mapping.json'} and {config.output_dir / 'mapping_fit.png'}")
    return mapping


def main() -> None:
    """Run `softgrasp-fit-mapping`; a mistake in the input ends with one line and exit status 1."""
    try:
        run(parse_options(FitMappingConfig))
    except (OSError, ValueError) as error:
        sys.exit(f"softgrasp-fit-mapping: {error}")


if __name__ == "__main__":
    main()
