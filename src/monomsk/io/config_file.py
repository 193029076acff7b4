"""Settings as TOML: what a person wrote in, every value a run used out.

A section a stage, named as the fields of `Config`, and `[subject]` with height, mass and sex. A key that is not
known is an error, because a mistyped setting that is silently ignored costs an afternoon.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from monomsk.config import Config
from monomsk.errors import FormatError, InputError
from monomsk.types import Subject

Settings = TypeVar("Settings")
SUBJECT_KEYS = ("height", "mass", "sex")


def read_config(path: Path) -> tuple[Config, dict[str, Any]]:
    """The settings of a file, defaults where it is silent, and what it says of the subject (perhaps nothing).

    Raises InputError for a file that is not there, a key that is not known (naming the nearest one) or a value of the
    wrong type, and FormatError for what is not TOML.
    """
    table = _table(path)
    subject = table.pop("subject", {})
    if not isinstance(subject, dict):
        raise InputError(f"{path}: subject must be a section, [subject]")
    _check_keys(subject, SUBJECT_KEYS, f"{path}: [subject]")
    hints = get_type_hints(Subject)
    return _build(Config, table, str(path), ""), {
        key: _convert(value, hints[key], f"{path}: subject.{key}") for key, value in subject.items()
    }


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Settings of any such dataclass, defaults where the file is silent. Raises as `read_config`."""
    return _build(kind, _table(path), str(path), "")


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}): check --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not valid TOML: {error}") from error


def toml_text(content: Mapping[str, Any]) -> str:
    """Plain values, then sections of them, as TOML; what is None is a comment."""
    plain = [f"{name} = {_literal(value)}" for name, value in content.items() if not isinstance(value, dict)]
    sections = [line for name, value in content.items() if isinstance(value, dict) for line in _section(name, value)]
    return "\n".join([*plain, *([""] if plain else []), *sections])


def config_text(config: Config, subject: Subject) -> str:
    """Every setting as TOML; what is not set is a comment, since TOML has no null."""
    head = "# Every setting of this run. Use it again with: monomsk run VIDEO --config config.toml\n\n"
    return head + toml_text({"subject": asdict(subject), **asdict(config)})


def _section(name: str, table: dict[str, Any]) -> list[str]:
    lines = [f"[{name}]"]
    inner: list[str] = []
    for key, value in table.items():
        if isinstance(value, dict):
            inner += _section(f"{name}.{key}", value)
        elif value is None:
            lines.append(f"# {key} is not set")
        else:
            lines.append(f"{key} = {_literal(value)}")
    return [*lines, "", *inner]


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | int):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(_literal(item) for item in value)}]"
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _check_keys(table: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(known)}"
            raise InputError(f"{where}: {key!r} is not a setting; {hint}")


def _build(kind: type[Any], table: dict[str, Any], path: str, section: str) -> Any:
    known = tuple(f.name for f in fields(kind))
    _check_keys(table, known if section or kind is not Config else ("subject", *known), f"{path}: [{section}]" if section else path)
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{section}.{key}" if section else key
        if is_dataclass(hints[key]):
            if not isinstance(value, dict):
                raise InputError(f"{path}: {name} must be a section, [{name}]")
            values[key] = _build(hints[key], value, path, name)
        else:
            values[key] = _convert(value, hints[key], f"{path}: {name}")
    return kind(**values)


def _convert(value: Any, hint: Any, where: str) -> Any:
    """`value`, as TOML gave it, as the type that the field is declared with."""
    for option in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        matches, converted = _match(value, option, where)
        if matches:
            return converted
    raise InputError(f"{where} = {value!r} must be {_describe(hint)}")


def _match(value: Any, hint: Any, where: str) -> tuple[bool, Any]:
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint), value
    if origin is tuple:
        kinds = get_args(hint)
        if not isinstance(value, list):
            return False, None
        if kinds[-1] is Ellipsis:
            kinds = (kinds[0],) * len(value)
        if len(kinds) != len(value):
            return False, None
        return True, tuple(_convert(item, kind, where) for item, kind in zip(value, kinds, strict=True))
    if hint is Path:
        return isinstance(value, str), Path(value) if isinstance(value, str) else None
    if hint is float:
        return isinstance(value, float | int) and not isinstance(value, bool), float(value) if isinstance(value, float | int) else None
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool), value
    return isinstance(hint, type) and isinstance(value, hint), value


def _describe(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_describe(option) for option in get_args(hint) if option is not NoneType)
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    if get_origin(hint) is tuple:
        return f"a list like [{', '.join('…' if kind is Ellipsis else _describe(kind) for kind in get_args(hint))}]"
    return {float: "a number", int: "a whole number", bool: "true or false", str: "text", Path: "a path as text"}.get(hint, str(hint))
