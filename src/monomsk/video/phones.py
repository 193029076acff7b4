"""Which phone took the video, and how long its lens is."""

import tomllib
from functools import lru_cache
from importlib import resources

MODEL_KEYS = ("com.apple.quicktime.model", "com.android.model", "model")
LENS_KEYS = ("com.apple.quicktime.camera.lens_model", "camera.lens_model")
FOCAL_35MM_KEY = "focal_length.35mm_equivalent"
OTHER_LENSES = ("front", "ultra", "tele")
"""Words by which a lens says that it is not the main rear one."""


def phone_ratio(metadata: dict[str, str]) -> tuple[str, float] | None:
    """Name of the phone and its focal length over the long side of the picture; None when unknown or not the main lens."""
    keyed = {key.lower(): value.strip() for key, value in metadata.items()}
    lens = " ".join(keyed.get(key, "") for key in LENS_KEYS).lower()
    if any(word in lens for word in OTHER_LENSES):
        return None
    for key in MODEL_KEYS:
        model = keyed.get(key, "")
        if model.casefold() in _table():
            return model, _table()[model.casefold()]
    return None


def focal_35mm(metadata: dict[str, str]) -> float | None:
    """Focal length in 35-mm film terms [mm] when the file states a plausible one."""
    for key, value in metadata.items():
        if FOCAL_35MM_KEY in key.lower():
            try:
                focal = float(value)
            except ValueError:
                continue
            if 8.0 <= focal <= 300.0:
                return focal
    return None


@lru_cache(maxsize=1)
def _table() -> dict[str, float]:
    text = resources.files("monomsk").joinpath("data/cameras/phones.toml").read_text(encoding="utf-8")
    return {name.casefold(): phone["ratio"] for phone in tomllib.loads(text)["phone"] for name in (*phone["names"], *phone["ids"])}
