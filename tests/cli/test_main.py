"""The command line as a person meets it: fast help, one line an error, the right exit code, nothing half-written."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monomsk import __version__, pipeline
from monomsk.cli import run as run_command
from monomsk.cli.main import main
from monomsk.errors import SolveError
from monomsk.types import Trial
from report import synthetic

PERSON = ["--height", "1.75", "--mass", "70"]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.write_video(tmp_path_factory.mktemp("video") / "walk.mp4")


@pytest.fixture
def finished(video: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """The command with an analysis that takes no time."""
    trial = synthetic.trial(video)
    monkeypatch.setattr(run_command, "analyze", lambda *args, **kwargs: trial)
    return trial


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"monomsk {__version__}\n"


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["run", "--help"]])
def test_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leave:
        main(words)
    assert leave.value.code == 0
    assert "monomsk" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom monomsk.cli.main import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        "print('HEAVY', sorted({'jax', 'scipy', 'mediapipe', 'cv2', 'av', 'plotly', 'pyvista', 'equinox'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("HEAVY []")


@pytest.mark.parametrize("words", [["walk"], ["run"], ["run", "a.mp4", "--height", "tall"], ["run", "a.mp4", *PERSON, "--until", "now"]])
def test_what_cannot_be_parsed_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leave:
        main(words)
    assert leave.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--height", "175", "--mass", "70"], 2, "height 175 looks like centimetres: write 1.75"),
        (["--height", "1.75", "--mass", "180"], 2, "if that is pounds, write 81.6"),
        ([*PERSON, "--config", "none.toml"], 2, "none.toml: cannot be read"),
        ([*PERSON, "--out", "full"], 8, "exists and is not empty"),
        ([*PERSON, "--out", "walk.mp4"], 8, "is a file"),
        ([*PERSON], 3, "gone.mp4"),
    ],
)
def test_errors_are_one_line(
    words: list[str], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "walk.mp4").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert main(["run", "gone.mp4", *words]) == code
    told = capsys.readouterr().err
    assert told.startswith("monomsk: ")
    assert message in told
    assert told.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_brackets_in_a_message_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "settings.toml").write_text("[camera]\nfocall = 1")
    assert main(["run", "a.mp4", *PERSON, "--config", str(tmp_path / "settings.toml")]) == 2
    assert "[camera]: 'focall' is not a setting; did you mean 'focal'?" in capsys.readouterr().err


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    from monomsk.cli.arguments import parse

    path = tmp_path / "settings.toml"
    path.write_text("[subject]\nheight = 1.9\nmass = 90\n[camera]\nfocal = 1000\n[kinetics]\nlowpass = 8\n[video]\nstart = 1\n")
    run = parse(["run", "a.mp4", "--config", str(path), "--focal", "1200", "--mass=80", "--bbox", "1,2,3,4"])
    assert (run.height, run.mass) == (1.9, 80.0)
    assert run.settings.camera.focal == 1200.0
    assert run.settings.kinetics.lowpass == 8.0
    assert run.settings.video.start == 1.0
    assert run.settings.muscles.exponent == 2.0
    assert run.settings.keypoints.bbox == (1.0, 2.0, 3.0, 4.0)


def test_a_run_writes_its_files_beside_the_caller(
    video: Path, finished: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(video), *PERSON]) == 0
    assert (tmp_path / "walk_monomsk" / "report.html").is_file()
    told = capsys.readouterr()
    assert "walk_monomsk/report.html" in told.out
    assert all(f"warning: {text}" in told.err for text in finished.warnings)


def test_an_earlier_result_is_kept_unless_told(video: Path, finished: Trial, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", str(video), *PERSON, "--out", str(tmp_path / "out")]
    assert main(words) == 0
    mine = tmp_path / "out" / "notes.txt"
    mine.write_text("mine")
    assert main(words) == 8
    assert "--overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(("error", "code"), [(SolveError("no answer"), 7), (KeyboardInterrupt(), 130)])
def test_what_goes_wrong_midway_leaves_nothing(
    video: Path, error: BaseException, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: object, **kwargs: object) -> Trial:
        raise error

    monkeypatch.setattr(run_command, "analyze", fail)
    assert main(["run", str(video), *PERSON, "--out", str(tmp_path / "out")]) == code
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in capsys.readouterr().err


def test_a_bug_keeps_its_traceback(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_command, "analyze", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["run", str(video), *PERSON, "--out", str(tmp_path / "out")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_while_writing_leave_nothing(video: Path, tmp_path: Path, number: int, code: int) -> None:
    """A process of its own, stopped between the first result file and the last."""
    script = (
        # Where the tests run in the background of a shell, children would inherit that the interrupt is ignored.
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, time\nsys.path.insert(0, sys.argv[1])\nfrom pathlib import Path\nfrom report import synthetic\n"
        "from monomsk.cli import run\nfrom monomsk.cli.main import main\nfrom monomsk.report import results\n"
        "run.analyze = lambda *a, **k: synthetic.trial(Path(sys.argv[2]))\n"
        "results.summary = lambda trial: (print('writing', flush=True), time.sleep(60))\n"
        "sys.exit(main(['run', sys.argv[2], '--height', '1.75', '--mass', '70', '--out', sys.argv[3]]))"
    )
    words = [sys.executable, "-c", script, str(Path(__file__).parents[1]), str(video), str(tmp_path / "out")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    assert any(tmp_path.glob("out/.monomsk-*/model.osim"))
    time.sleep(0.1)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


def test_progress_is_a_line_a_stage_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from monomsk.cli.progress import stage_progress

    with stage_progress() as tell:
        for stage in pipeline.STAGES[:2]:
            for done in (0.0, 0.4, 1.0, 1.0):
                tell(stage, done)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == list(pipeline.STAGES[:2])
