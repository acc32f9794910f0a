"""Write all of them into a folder, one folder for each: python -m tests.corpus FOLDER."""

import sys
from pathlib import Path

from . import KINDS


def main(folder: Path) -> None:
    """Write them, and say how many there are of each kind."""
    for name, kind in KINDS.items():
        written = [case.write(folder / name / f"{number:03d}") for number, case in enumerate(kind.cases())]
        print(f"{len(written):4d} {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
