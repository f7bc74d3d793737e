"""Makes .venv and everything that is built: `make setup` (all of it) and `make demo` (what running needs).

    python3 tools/setup.py [runtime]

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

from tools import chromium
from tools.steps import ROOT, StepFailed, fingerprint, is_stamped, run, say, stamp

VENV = ROOT / ".venv"
BIN = VENV / "bin"
WEB = ROOT / "src" / "bedside" / "web"
OFFLINE = (
    "Is there a way to the Python and npm package registries? Then run the same command again: it goes on from here."
)


def path_with_venv() -> dict[str, str]:
    """So that npm's scripts find the node of .venv, and none of the machine."""
    return {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "CI": "true", "NO_COLOR": "1"}


def make_venv() -> None:
    """.venv with pip, by python3 -m venv; anew when its Python has gone."""
    python = BIN / "python"
    if python.exists() and _works(python, "import pip"):
        return
    if not _works(Path(sys.executable), "import ensurepip, venv"):
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        apt(f"Python's venv, which this machine's {version} lacks", f"{version}-venv")
    if VENV.exists():
        shutil.rmtree(VENV)
    run("Make .venv", [sys.executable, "-m", "venv", VENV])


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
    name = f"python-{lock.stem}"
    # What the tests need holds all that running needs.
    whole = ROOT / "requirements" / "dev.lock"
    if not is_stamped(name, mark) and not (lock != whole and is_stamped("python-dev", fingerprint([whole]))):
        many = sum(1 for line in lock.read_text().splitlines() if line[:1].isalnum())
        run(
            "Install the locked Python packages",
            [BIN / "python", "-m", "pip", "install", "--require-hashes", "--progress-bar=off", "-r", lock],
            env={"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"},
            count=r"\s*(Collecting |Requirement already satisfied)",
            of=many,
            remedy=OFFLINE,
        )
        stamp(name, mark)
    mark = fingerprint(
        [ROOT / "pyproject.toml", ROOT / "requirements" / "runtime.in", ROOT / "tools" / "dependencies.py"], str(ROOT)
    )
    if not is_stamped("bedside", mark, [BIN / "bedside"]):
        run(
            "Install Bedside into .venv, as it stands here",
            [BIN / "python", "-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-index", "-e", ROOT],
        )
        stamp("bedside", mark)


def install_npm() -> None:
    """node_modules exactly as locked; Node itself came with the Python packages."""
    modules = ROOT / "node_modules"
    mark = fingerprint([ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"])
    if not is_stamped("npm", mark, [modules / ".package-lock.json"]):
        run(
            "Install the locked npm packages",
            [BIN / "npm", "ci", "--no-progress", "--no-update-notifier"],
            env=path_with_venv(),
            remedy=OFFLINE,
        )
        stamp("npm", mark)


def build_definitions() -> None:
    """The FHIR definitions that the validator and the search read."""
    lock = ROOT / "package-lock.json"
    program = ROOT / "tools" / "build_definitions.py"
    fhir = ROOT / "src" / "bedside" / "fhir"
    mark = fingerprint([lock, program, fhir / "definitions.py", fhir / "fhirpath"])
    made = fhir / "data" / "definitions.msgpack"
    if program.exists() and not is_stamped("definitions", mark, [made]):
        run("Build the FHIR definitions", [BIN / "python", "-m", "tools.build_definitions"])
        stamp("definitions", mark)


def build_pages() -> None:
    """Styles, scripts, fonts and icons into web/static."""
    made = WEB / "static"
    config = [path for path in ROOT.glob("*.config.*") if path.is_file()] + [ROOT / "tsconfig.json"]
    ours = [path for path in WEB.rglob("*") if path.is_file() and path.suffix not in {".mo", ".po"}]
    inputs = [path for path in ours if made not in path.parents and "__pycache__" not in path.parts]
    mark = fingerprint([ROOT / "package.json", ROOT / "package-lock.json", *config, *inputs])
    if config[1:] and not is_stamped("pages", mark, [made]):
        run("Build the pages' styles and scripts", [BIN / "npm", "run", "build"], env=path_with_venv())
        stamp("pages", mark)


def compile_catalogues() -> None:
    """gettext's .po to .mo."""
    catalogues = sorted(WEB.rglob("*.po"))
    made = [path.with_suffix(".mo") for path in catalogues]
    mark = fingerprint(catalogues)
    if not is_stamped("catalogues", mark, made):
        for source, target in zip(catalogues, made, strict=True):
            locale = next((part for part in source.relative_to(WEB).parts[1:-1]), source.stem)
            run(
                f"Compile the words of the pages ({locale})",
                [BIN / "pybabel", "compile", "-i", source, "-o", target, "-l", locale],
            )
        stamp("catalogues", mark)


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
    running = sys.argv[1:] == ["runtime"]
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
        compile_catalogues()
        build_pages()
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
