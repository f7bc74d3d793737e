"""`make bench`: every bench_*.py of this folder, one after another; `python -m bench start memory` runs those two.

Each prints its figures with their ratio to their limit. Exits 1 when one is over its limit or could not be measured.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

from tools.clinic import ClinicFailed


def main() -> int:
    """Run those named, or all."""
    here = Path(__file__).parent
    names = sys.argv[1:] or sorted(path.stem.removeprefix("bench_") for path in here.glob("bench_*.py"))
    good = True
    for name in names:
        module = importlib.import_module(f"bench.bench_{name}")
        print(f"{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        begun = time.monotonic()
        try:
            for figure in module.measure():
                good = good and figure.good
                print(f"  {figure}", flush=True)
        except ClinicFailed as failure:
            good = False
            print(f"  could not be measured: {failure}", flush=True)
        print(f"  ({time.monotonic() - begun:.0f} s)", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
