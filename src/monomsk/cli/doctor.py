"""`monomsk doctor`: is everything here that monomsk needs, and how to mend what is not."""

import importlib
import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from monomsk import cache
from monomsk.cli.arguments import Doctor
from monomsk.errors import MonomskError

NEEDED = ("numpy", "scipy", "jax", "equinox", "av", "cv2", "mediapipe", "plotly")
OPTIONAL = {"opensim": "checking results against OpenSim itself"}
EXTRAS = {"opensim": "oracle"}
DISTRIBUTIONS = {"cv2": "opencv-contrib-python"}
SYSTEM_LIBRARIES = {
    "libGL.so": "libgl1",
    "libgthread": "libglib2.0-0",
    "libglib": "libglib2.0-0",
}
"""Debian's and Ubuntu's packages of the system libraries that wheels load."""
FREE_SPACE = 500_000_000
"""Bytes that compiled programs, the demo's clip and a few results take."""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    what: str
    problem: str = ""
    """Empty when all is well."""
    remedy: str = ""
    needed: bool = True


def doctor(arguments: Doctor | None = None, command: Sequence[str] = ()) -> int:
    """Print every finding; 1 when something needed is missing, else 0."""
    checks: list[Callable[[], Finding]] = [
        _python,
        *(_importing(name) for name in NEEDED),
        _pose_networks,
        _body,
        _kernels,
        _codecs,
        _cache,
        _space,
    ]
    checks += [_importing(name) for name in OPTIONAL]
    findings = [check() for check in checks]
    for finding in findings:
        print(_line(finding))
    missing = [finding for finding in findings if finding.problem and finding.needed]
    print(f"{len(missing)} of {len(findings)} checks failed" if missing else "monomsk has everything it needs")
    return 1 if missing else 0


def _line(finding: Finding) -> str:
    if not finding.problem:
        return f"  ok       {finding.what}"
    mark = "MISSING" if finding.needed else "optional"
    return f"  {mark:<8} {finding.what}: {finding.problem}\n           → {finding.remedy}"


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 12):
        return Finding(f"Python {found}")
    return Finding(f"Python {found}", "3.11 or 3.12 is needed", "install one of them, remove .venv and call make again")


def _importing(name: str) -> Callable[[], Finding]:
    needed = name in NEEDED

    def check() -> Finding:
        distribution = DISTRIBUTIONS.get(name, name)
        if importlib.util.find_spec(name) is None:
            extra = (
                f'pip install "monomsk[{EXTRAS[name]}]", for {OPTIONAL[name]}'
                if name in EXTRAS
                else "pip install --force-reinstall monomsk"
            )
            return Finding(name, "not installed", extra, needed)
        try:
            importlib.import_module(name)
        except (ImportError, OSError) as error:
            return Finding(name, _first_line(error), _remedy(str(error), distribution), needed)
        return Finding(f"{name} {_version(distribution)}".strip())

    return check


def _remedy(message: str, distribution: str) -> str:
    packages = sorted({package for library, package in SYSTEM_LIBRARIES.items() if library in message})
    if packages:
        # OpenCV needs both, and its error names one at a time.
        return f"sudo apt-get install {' '.join(sorted({*packages, 'libgl1', 'libglib2.0-0'}))} (Debian, Ubuntu)"
    return f"pip install --force-reinstall {distribution}"


def _pose_networks() -> Finding:
    package = importlib.util.find_spec("mediapipe")
    if package is None or package.origin is None:
        return Finding("pose networks", "mediapipe is not installed", "pip install --force-reinstall monomsk")
    folder = Path(package.origin).parent / "modules"
    missing = [
        name
        for name in ("pose_detection/pose_detection.tflite", "pose_landmark/pose_landmark_full.tflite")
        if not (folder / name).is_file()
    ]
    if missing:
        remedy = 'pip install "mediapipe>=0.10.9,<=0.10.14" (later releases come without them)'
        return Finding("pose networks", f"{', '.join(missing)} not in mediapipe {_version('mediapipe')}", remedy)
    return Finding("pose networks inside mediapipe")


def _body() -> Finding:
    try:
        from monomsk.io.body import load_body

        body = load_body()
    except (ImportError, OSError, MonomskError) as error:
        return Finding("body model", _first_line(error), "pip install --force-reinstall monomsk")
    return Finding(f"body model, {len(body.bodies)} bodies, {len(body.muscles)} muscles")


def _kernels() -> Finding:
    from monomsk import native

    if native.available():
        return Finding("compiled mechanics")
    remedy = "install a C++ compiler (sudo apt-get install g++), then pip install --force-reinstall --no-deps monomsk"
    return Finding("compiled mechanics", "not built; slower mechanics in JAX is used", remedy, needed=False)


def _codecs() -> Finding:
    try:
        import av
        from av.codec import codecs_available
    except (ImportError, OSError) as error:
        return Finding("video decoders", _first_line(error), "pip install --force-reinstall av")
    missing = sorted({"h264", "hevc", "vp9", "mpeg4"} - codecs_available)
    if missing:
        return Finding(
            "video decoders", f"{', '.join(missing)} not in av {av.__version__}", "pip install --force-reinstall --only-binary av av"
        )
    return Finding("video decoders h264, hevc, vp9, mpeg4")


def _cache() -> Finding:
    wanted, got = cache.usual_folder(), cache.folder()
    if wanted != got:
        problem = f"{wanted} cannot be written; {got} is used and lost when the machine restarts"
        return Finding("cache", problem, "make it writable, or name another folder: export MONOMSK_CACHE=…", needed=False)
    return Finding(f"cache {got}")


def _space() -> Finding:
    for place in (Path.cwd(), cache.folder()):
        free = shutil.disk_usage(place).free
        if free < FREE_SPACE:
            return Finding(
                "disk space",
                f"{free / 1e6:.0f} MB left at {place}",
                f"free {FREE_SPACE / 1e6:.0f} MB, or set MONOMSK_CACHE and --out to another disk",
            )
    return Finding(f"disk space, {shutil.disk_usage(Path.cwd()).free / 1e9:.0f} GB free here")


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
