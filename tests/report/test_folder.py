"""Results come whole or not at all, and nothing of a person's is lost."""

import errno
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from monomsk.errors import OutputError
from monomsk.report import folder


def earlier_run(out: Path, *names: str) -> None:
    out.mkdir()
    for name in names:
        (out / name).write_text("old")
    (out / "provenance.json").write_text(json.dumps({"files": [*names, "provenance.json"]}))


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    folder.check(out, overwrite=False)
    with folder.writing(out) as place:
        (place / "summary.json").write_text("{}")
        assert not (out / "summary.json").exists()
    assert [path.name for path in out.iterdir()] == ["summary.json"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    with pytest.raises(ZeroDivisionError), folder.writing(out) as place:
        (place / "summary.json").write_text("{}")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_earlier_results(tmp_path: Path) -> None:
    out = tmp_path / "out"
    earlier_run(out, "summary.json")
    with pytest.raises(KeyboardInterrupt), folder.writing(out) as place:
        (place / "summary.json").write_text("new")
        raise KeyboardInterrupt
    assert (out / "summary.json").read_text() == "old"
    assert {path.name for path in out.iterdir()} == {"summary.json", "provenance.json"}


def test_overwriting_replaces_ours_and_keeps_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "out"
    earlier_run(out, "summary.json", "grf.mot")
    (out / "notes.txt").write_text("mine")
    (out / "markers.trc").write_text("mine too: no run listed it")
    folder.check(out, overwrite=True)
    with folder.writing(out) as place:
        (place / "summary.json").write_text("new")
        (place / "provenance.json").write_text("{}")
    assert (out / "summary.json").read_text() == "new"
    assert {path.name for path in out.iterdir()} == {"summary.json", "provenance.json", "notes.txt", "markers.trc"}


def test_a_list_of_files_that_names_others_is_not_believed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "thesis.doc").write_text("mine")
    (out / "provenance.json").write_text(json.dumps({"files": ["../thesis.doc", "summary.json"]}))
    with folder.writing(out) as place:
        (place / "provenance.json").write_text("{}")
    assert (tmp_path / "thesis.doc").exists()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        folder.check(tmp_path, overwrite=False)
    folder.check(tmp_path, overwrite=True)


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    folder.check(tmp_path, overwrite=False)
    folder.check(tmp_path / "new" / "one", overwrite=False)
    assert not list(tmp_path.iterdir())


def test_a_file_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        folder.check(tmp_path / "out", overwrite=True)


def test_a_file_on_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="cannot be written to"):
        folder.check(tmp_path / "out" / "deeper", overwrite=False)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_place_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written to"):
        folder.check(tmp_path / "out", overwrite=False)


def test_a_full_disk_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(OutputError, match="1 MB left"):
        folder.check(tmp_path / "out", overwrite=False)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_disk_that_fills_up(tmp_path: Path, wrapped: bool) -> None:
    out = tmp_path / "out"
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OutputError, match="the disk is full") as caught, folder.writing(out) as place:
        (place / "summary.json").write_text("{}")
        if wrapped:
            raise OutputError(f"cannot write {place}") from full
        raise full
    assert ".monomsk-" not in str(caught.value)
    assert not out.exists()
