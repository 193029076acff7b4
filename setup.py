"""Builds the kernels of monomsk.native; everything else about the package is in pyproject.toml.

Each module is optional: without a C++ compiler, or on another kind of processor, the installation goes on without it, and
the mechanics runs on JAX alone, which is slower and otherwise the same.
"""

import platform
from pathlib import Path

import jaxlib
from setuptools import Extension, setup

HEADERS = Path(jaxlib.__file__).parent / "include"
SETS = {"_plain": (16, [])}
if platform.machine().lower() in ("x86_64", "amd64"):
    SETS["_avx2"] = (32, ["-mavx2", "-mfma"])
    SETS["_avx512"] = (64, ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"])
FOLDER = Path("src/monomsk/native")

setup(
    ext_modules=[
        Extension(
            f"monomsk.native.{name}",
            [str(FOLDER / "module.cc")],
            include_dirs=[],
            depends=[str(path) for path in sorted(FOLDER.glob("*.h"))],
            define_macros=[("MONOMSK_MODULE", name), ("MONOMSK_BYTES", str(width))],
            extra_compile_args=[
                "-std=c++17",
                "-O3",
                "-fvisibility=hidden",
                "-g0",
                "-fno-math-errno",
                "-fno-strict-aliasing",
                "-Wno-psabi",
                f"-isystem{HEADERS}",
                *flags,
            ],
            language="c++",
            optional=True,
        )
        for name, (width, flags) in SETS.items()
    ]
)
