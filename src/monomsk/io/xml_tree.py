"""XML from strangers: no document types, no entities, no absurd sizes."""

import gzip
import zlib
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from monomsk.errors import MonomskError

MAX_BYTES = 64 * 2**20
"""No body model or set-up file is larger; a file that is has another purpose or an evil one."""


class _DoctypeError(Exception):
    """A document type declaration was met."""


class _NoDoctype(ElementTree.TreeBuilder):
    """A tree builder that stops at a document type declaration, before any entity in it can be defined."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _DoctypeError


def load_xml(path: Path, error: type[MonomskError]) -> Element:
    """Root element of an XML file, plain or gzip.

    Raises:
        error: no such file, larger than MAX_BYTES once unpacked, damaged, not XML, or with a document type.
    """
    data = _bytes(path, error)
    parser = ElementTree.XMLParser(target=_NoDoctype())
    try:
        parser.feed(data)
        return parser.close()
    except ElementTree.ParseError as cause:
        line = cause.position[0]
        raise error(f"{path} is not a whole XML file (line {line}: {cause}); fetch it again or save it anew in OpenSim") from cause
    except _DoctypeError as cause:
        raise error(f"{path} declares a document type or entities, which no OpenSim file needs; remove the declaration") from cause
    except (ValueError, LookupError) as cause:
        raise error(f"{path} is in a text encoding that cannot be read ({cause}); save it as UTF-8") from cause


def _bytes(path: Path, error: type[MonomskError]) -> bytes:
    """Contents of the file, unpacked if it is gzip, never more than MAX_BYTES."""
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as cause:
        raise error(f"{path} is a damaged gzip file ({cause}); fetch it again") from cause
    except OSError as cause:
        raise error(f"cannot read {path}: {cause.strerror}; check the path") from cause
    if len(data) > MAX_BYTES:
        raise error(f"{path} is larger than {MAX_BYTES // 2**20} MB, which no such file is")
    return data
