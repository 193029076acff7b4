"""The doctor names what is missing and how to mend it."""

import importlib
import importlib.util
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from monomsk.cli import doctor
from monomsk.cli.main import main


def test_all_is_well_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "MISSING" not in told
    assert "everything it needs" in told


def test_a_missing_system_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real = importlib.import_module

    def fail(name: str, package: str | None = None) -> object:
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", fail)
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "MISSING  cv2: libGL.so.1" in told
    assert "sudo apt-get install libgl1 libglib2.0-0" in told


def test_missing_pose_networks_tell_the_pin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    finding = doctor._pose_networks()
    assert "pose_landmark_full.tflite" in finding.problem
    assert "<=0.10.14" in finding.remedy


def test_an_optional_library_is_no_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "opensim" else real(name))
    assert main(["doctor"]) == 0
    assert 'pip install "monomsk[oracle]"' in capsys.readouterr().out


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    assert "1 MB left" in doctor._space().problem


def test_missing_kernels_are_a_matter_of_speed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("monomsk.native.available", lambda: False)
    assert main(["doctor"]) == 0
    assert "optional compiled mechanics: not built" in capsys.readouterr().out
