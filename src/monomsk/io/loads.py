"""What acts on a person, from any of the files that may say it: OpenSim's external_loads.xml, a force file alone, or a .toml.

The .toml names carried masses and, if there are any, the file of measured forces beside it:

    forces = "external_loads.xml"

    [[carried]]
    body = "hand_r"
    mass = 5.0                      # kg
    location = [0.0, -0.1, 0.0]     # m, in the body's frame
    from = 0.5                      # s of the video; may be left out
    to = 3.0
"""

import math
import tomllib
from pathlib import Path
from typing import Any

from monomsk.errors import FormatError
from monomsk.io import external_loads
from monomsk.outside_loads import AppliedForce, CarriedMass, Loads

KEYS = ("body", "mass", "location", "from", "to")
HEAVIEST = 500.0
"""Nobody carries more [kg]."""
FARTHEST = 3.0
"""Nothing that a body carries lies further from its origin [m]."""


def read(path: Path, feet: tuple[str, str] = ("calcn_r", "calcn_l")) -> Loads:
    """The loads of a file; `feet` are the bodies of the right and the left one, for force files alone.

    Raises:
        FormatError: the file is missing, damaged, of another kind, or says what cannot be.
    """
    if path.suffix.lower() == ".toml":
        return _read_toml(path, feet)
    return Loads(_forces(path, feet))


def files(path: Path) -> tuple[Path, ...]:
    """Every file that the loads come from: the one that is named, and those that it names. Raises FormatError."""
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return path, external_loads.read(path)[0]
    if suffix == ".toml" and isinstance(named := _table(path).get("forces"), str):
        return path, *files(path.parent / named)
    return (path,)


def _forces(path: Path, feet: tuple[str, str]) -> tuple[AppliedForce, ...]:
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return external_loads.read_applied(path)
    if suffix in (".mot", ".sto"):
        return external_loads.read_columns(path, feet)
    raise FormatError(f"{path}: loads come from an external_loads.xml, a .mot, a .sto or a .toml")


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not valid TOML: {error}") from error


def _read_toml(path: Path, feet: tuple[str, str]) -> Loads:
    table = _table(path)
    if unknown := [key for key in table if key not in ("forces", "carried")]:
        raise FormatError(f"{path}: {unknown[0]!r} is not known here; allowed: forces, [[carried]]")
    named, carried = table.get("forces"), table.get("carried", [])
    if not (named is None or isinstance(named, str)) or not isinstance(carried, list) or not all(isinstance(c, dict) for c in carried):
        raise FormatError(f"{path}: forces must be the name of a file, and carried masses sections [[carried]]")
    if named is None and not carried:
        raise FormatError(f"{path} names neither forces nor a [[carried]] mass")
    forces = () if named is None else _forces(path.parent / named, feet)
    return Loads(forces, tuple(_carried(f"{path}: carried mass {i}", one) for i, one in enumerate(carried, 1)))


def _carried(where: str, one: dict[str, Any]) -> CarriedMass:
    if unknown := [key for key in one if key not in KEYS]:
        raise FormatError(f"{where}: {unknown[0]!r} is not known; allowed: {', '.join(KEYS)}")
    if missing := [key for key in KEYS[:3] if key not in one]:
        raise FormatError(f"{where} lacks {missing[0]}")
    body, location = one["body"], one["location"]
    if not isinstance(body, str) or not body:
        raise FormatError(f"{where}: body must be the name of a body of the model")
    if not isinstance(location, list) or len(location) != 3:
        raise FormatError(f"{where}: location must be three numbers [m]")
    mass, *place = (_number(where, name, value) for name, value in (("mass", one["mass"]), *(("location", v) for v in location)))
    if not 0.0 < mass <= HEAVIEST:
        raise FormatError(f"{where}: mass {mass:g} is not one in kilograms (allowed: up to {HEAVIEST:g} kg)")
    if max(abs(v) for v in place) > FARTHEST:
        raise FormatError(f"{where}: location {place} is not one in metres (allowed: up to {FARTHEST:g} m from the body's origin)")
    begin, end = (None if key not in one else _number(where, key, one[key]) for key in ("from", "to"))
    if begin is not None and end is not None and not begin < end:
        raise FormatError(f"{where}: it is put down at {end:g} s, before it is picked up at {begin:g} s")
    return CarriedMass(body, mass, (place[0], place[1], place[2]), begin, end)


def _number(where: str, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FormatError(f"{where}: {name} must be a number, not {value!r}")
    return float(value)
