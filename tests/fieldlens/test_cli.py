"""The command line as people meet it: exit statuses, one sentence for a mistake, one JSON object for a program."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

import fieldlens.studies.runs.fit
from fieldlens import cli
from fieldlens.configs.errors import InputError
from fieldlens.configs.records import to_json
from fieldlens.configs.run import CompareConfig, FitConfig, Training
from fieldlens.configs.storage import read_config
from fieldlens.scenes import demos
from fieldlens.scenes.captures.transforms import read_capture
from fieldlens.scenes.load import load
from fieldlens.scenes.scene import Scene
from fieldlens.studies.runs.reporter import Moment
from fieldlens.terminal.console import Console
from fieldlens.verbs.fit import FitArguments, with_limits_of
from fieldlens.verbs.options import Beginning, arguments_from, beginning, parse, starting_config, typed_options
from tests.support.runs import small_picture

SMALL = ["--steps", "8", "--network.width", "8", "--network.depth", "2", "--batch-size", "64", "--frames", "every:4"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a picture in it."""
    monkeypatch.chdir(tmp_path)
    small_picture(tmp_path / "my photo.png")
    return tmp_path


def last_json(text: str) -> dict:
    return json.loads(text.splitlines()[-1])


def test_fit_then_render_analyze_and_resume_as_a_person_types_them(here: Path, capfd: pytest.CaptureFixture[str]):
    assert cli.main(["fit", "my photo.png", "--encoding", "raw", *SMALL, "--json"]) == 0
    out = capfd.readouterr().out
    fitted = json.loads(out)  # nothing else is on standard output
    assert Path(fitted["report"]).exists()
    assert Path(fitted["video"]).exists()
    assert fitted["encoding"] == "raw"

    assert cli.main(["render", "latest", "--scale", "2", "--region", "0.25", "0", "0.5", "1", "--json"]) == 0
    drawn = last_json(capfd.readouterr().out)
    assert (drawn["width"], drawn["height"], drawn["step"]) == (32, 48, 8)
    assert Path(drawn["path"]).exists()

    assert cli.main(["analyze", fitted["path"], "--json"]) == 0
    analysed = last_json(capfd.readouterr().out)
    assert analysed["verdict"] == fitted["verdict"]

    assert cli.main(["fit", "--resume", "latest", "--steps", "12", "--json"]) == 0
    resumed = last_json(capfd.readouterr().out)
    assert (resumed["path"], resumed["steps"]) == (fitted["path"], 12)


def test_render_at_full_size_is_the_reconstruction_of_the_run(here: Path, capfd: pytest.CaptureFixture[str]):
    assert cli.main(["fit", "my photo.png", *SMALL, "--json"]) == 0
    run = Path(last_json(capfd.readouterr().out)["path"])
    assert cli.main(["render", str(run), "--file", "drawn.png"]) == 0
    assert Path("drawn.png").read_bytes() == (run / "reconstruction.png").read_bytes()


def test_share_and_figure_are_made_of_the_latest_run(here: Path, capfd: pytest.CaptureFixture[str]):
    assert cli.main(["fit", "my photo.png", *SMALL, "--quick"]) == 0
    capfd.readouterr()
    assert cli.main(["share", "--portrait", "--json"]) == 0
    shared = last_json(capfd.readouterr().out)
    assert (shared["height"], shared["width"]) == (1920, 1080)
    assert Path(shared["path"]).stat().st_size == shared["bytes"]
    assert Path(shared["poster"]).exists()
    assert cli.main(["figure", "latest", "--psnr", "--out", "curves.svg"]) == 0
    assert "curves.svg" in capfd.readouterr().out
    assert cli.main(["figure", "latest", "latest"]) == 2
    assert "the same run is named twice" in capfd.readouterr().err


def test_compare_prints_its_table_and_ends_with_json(here: Path, capfd: pytest.CaptureFixture[str]):
    words = ["compare", "my photo.png", "--encodings", "raw", "fourier:2", "--networks", "2x8", "--steps", "8"]
    words += ["--optimizer", "adam"]  # which leaves no trace in names
    assert cli.main([*words, "--batch-size", "64"]) == 0
    assert "| encoding" in capfd.readouterr().out
    assert cli.main([*words, "--batch-size", "64", "--json"]) == 0
    captured = capfd.readouterr()
    result = json.loads(captured.out)
    assert [run["encoding"] for run in result["runs"]] == ["raw", "fourier:2"]
    assert "| encoding" in captured.err
    runs = [str(Path(result["path"], "runs", name)) for name in ("raw_2x8", "fourier-2_2x8")]

    # the latest is the comparison: all its runs
    assert cli.main(["render", "latest", "--file", "drawn.webp", "--json"]) == 0
    drawn = last_json(capfd.readouterr().out)["runs"]
    assert [(one["run"], one["path"]) for one in drawn] == list(
        zip(runs, ["drawn_raw_2x8.webp", "drawn_fourier-2_2x8.webp"], strict=True)
    )
    assert all(Path(one["path"]).read_bytes()[8:12] == b"WEBP" for one in drawn)
    assert cli.main(["analyze", result["path"]]) == 0
    told = capfd.readouterr().out
    assert [line for line in told.splitlines() if not line.startswith("  ")] == ["raw 2x8", "fourier:2 2x8"]
    assert cli.main(["export", "latest", "--mesh", "x.ply"]) == 2  # as for one run
    assert capfd.readouterr().err.count("--mesh is for 3D scenes") == 1
    # raw coordinates have no use for --max-cells
    assert cli.main(["analyze", "latest", "--cells", "--max-cells", "100000"]) == 2
    captured = capfd.readouterr()
    assert "raw 2x8: --max-cells is for cells under an encoding" in captured.err
    assert captured.out.startswith("fourier:2 2x8\n  ")


def test_scenes_lists_what_is_built_in_and_draws_it_on_request(here: Path, capfd: pytest.CaptureFixture[str]):
    assert cli.main(["scenes", "--thumbnails", "sheet.png"]) == 0
    listed = capfd.readouterr().out
    assert "astronaut" in listed
    assert "demo:lattice" in listed
    assert "signal:5,10,20,40" in listed
    assert Path("sheet.png").stat().st_size > 10_000


def test_a_built_in_scene_is_written_as_a_folder_that_is_read_as_it_was(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    few = partial(demos.photographed, side=12, train=4, heldout=2)
    monkeypatch.setattr(demos, "photographed", few)
    assert cli.main(["scenes", "--write", "demo:solids", "solids", "--json"]) == 0
    written = last_json(capfd.readouterr().out)
    assert written == {"path": "solids", "train": 4, "heldout": 2}
    capture, read = few(demos.DEMOS["solids"]), read_capture(Path("solids"))
    for one, other in zip([*capture.train, *capture.heldout], [*read.train, *read.heldout], strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_allclose(one.camera.pose, other.camera.pose)
    assert cli.main(["scenes", "--write", "demo:solids", "solids"]) == 2
    assert "'solids' is there already" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fitt"], "unknown verb 'fitt'; did you mean 'fit'?"),
        (["fit"], "name a picture to fit"),
        (["fit", "astronaud"], "did you mean 'astronaut'?"),
        (["fit", "nowhere.jpg"], "/nowhere.jpg'; built in are astronaut"),
        (["fit", "."], "'.'"),
        (["fit", "my photo.png", "--steps", "0"], "--steps must be a number above 0"),
        (["fit", "my photo.png", "--seconds", "nan"], "--seconds must be a number above 0"),
        (["fit", "my photo.png", "--schedule", "cosine"], "give its length with --steps"),
        (["fit", "my photo.png", "--frames", "every:0"], "--frames takes log, every:N or all"),
        (["fit", "my photo.png", "--preset", "demo"], "fit has no preset 'demo' (there are: authors, photo)"),
        (["fit", "my photo.png", "--preset", "author"], "did you mean 'authors'?"),
        (["compare", "--preset", "demmo"], "compare has no preset 'demmo' (there are: demo); did you mean 'demo'?"),
        (["fit", "--preset", "authors"], "name a picture to fit"),
        (["fit", "my photo.png", "--preset", "authors", "--config", "x.yaml"], "leave out --config or --preset"),
        (["fit", "my photo.png", "--config", "none.yaml"], "cannot read 'none.yaml': No such file"),
        (["fit", "my photo.png", "--output-dir", "my photo.png"], "choose another --output-dir"),
        (["fit", "--resume", "latest"], "there is no run below 'outputs'"),
        (["fit", "--resume", "latest", "--output_dir", "a"], "there is no run below 'a'"),
        (["fit", "--resume", "latest", "--preset", "authors"], "leave out --preset"),
        (["fit", "--resume", "latest", "--config=none.yaml"], "leave out --config"),
        (["fit", "--resume", "nowhere"], "'nowhere' does not exist"),
        (["render", "nowhere"], "'nowhere' does not exist"),
        (["analyze", "."], "is no run folder"),
        (["analyze", "--region", "0", "0", "0.5", "0.5"], "--region goes with --cells"),
        (["compare", "x.png", "--network.width", "64"], "compare takes networks as words, such as --networks 4x64"),
        (["compare", "x.png", "--depth=3"], "compare takes networks as words, such as --networks 4x64"),
        (["analyze", "--confusion", "--kernel"], "--confusion and --kernel are two analyses; choose one"),
        (["analyze", "--cells", "--kernel"], "--cells and --kernel are two analyses; choose one"),
        (["compare", "my photo.png", "--seconds", "3"], "equal steps"),
        (["compare", "--resume", "."], "is no comparison"),
        (["compare", "--resume", "latest"], "there is no comparison below 'outputs'"),
        (["compare", "--resume", "latest", "--preset", "demo"], "leave out --preset"),
        (["render", "--orbit", "8", "--region", "0", "0", "0.5", "0.5"], "--region is for a single drawing"),
        (["render", "--orbit", "8", "--path", "x.json"], "--orbit and --path are two films; choose one"),
        (["render", "--width", "8"], "--width goes with --orbit or --path"),
        (["render", "--orbit", "8", "--scale", "1"], "--scale is for a single drawing"),
        (["render", "x", "--output-dir", "y"], "--output-dir is where the latest run is looked for, and 'x' is named"),
        (["fit", "--resume", "x", "--output-dir", "y"], "and 'x' is named; leave it out"),
        (["export", "--depth", "x", "--resolution", "128"], "--resolution goes with --mesh"),
        (["analyze", "--max-cells", "100000"], "--max-cells goes with --cells"),
        (["analyze", "--all-checkpoints", "--step", "8"], "--all-checkpoints is of every step: leave out --step"),
        (["fit", "my photo.png", "--background", "white"], "--background is for 3D scenes fitted as radiance fields"),
        (["compare", "my photo.png", "--kind", "auto"], "--kind is for 3D scenes, and 'my photo.png' is a picture"),
        (
            ["compare", "signal", "--networks", "2x8,sigmoid", "--max-pixels", "9"],
            "--max-pixels is for pictures and photographs in files",
        ),
        (
            ["fit", "my photo.png", "--steps", "9", "--revive-at", "9"],
            "--revive-at 9 never comes: --steps 9 is the end",
        ),
        (
            ["fit", "my photo.png", "--network.activation", "sine", "--revive-at", "3"],
            "fieldlens: --revive-at is for dead neurons",
        ),
        (["fit", "https://x.org/a.png"], "'https://x.org/a.png' is an address: download it first"),
        (["scenes", "--write", "demo:lattice", "x.zip"], "--write takes a folder, and 'x.zip' is named like a file"),
        (["export", "--depth", "x.PNG"], "--depth takes a folder, and 'x.PNG' is named like a file; leave out .PNG"),
        (["fit", "my photo.png", "--output-dir", "x.mp4"], "--output-dir takes a folder, and 'x.mp4' is named like"),
        (["scenes", "--write"], "--write needs 2 values"),
        (["scenes", "--write", "demo:lattice"], "--write needs 2 values"),
        (["scenes", "--thumbnails", "sheet.gif"], "the sheet is written as .png, .jpg, .jpeg, .webp, .tif, .tiff"),
        (["scenes", "--write", "demo:latice", "x"], "no built-in 3D scene is called 'latice'; did you mean 'lattice'?"),
        (["scenes", "--write", "demo:solids", "."], "'.' is there already; name a folder that is new or empty"),
        (["scenes", "--write", "demo:solids", "x", "--thumbnails", "y.png"], "choose one"),
        (["scenes", "--thumbnails", "my photo.png/sheet.png"], "cannot write"),
        (["share", "nowhere"], "'nowhere' does not exist"),
        (["share", "--out", "film.mp4"], "there is no option --out; here it is --file"),
        (["figure"], "there is no run below 'outputs'"),
        (["figure", "nowhere", "--psnr"], "'nowhere' does not exist"),
        (["figure", "--file", "x.pdf"], "there is no option --file; here it is --out"),
    ],
)
def test_a_mistake_gets_one_sentence_and_status_2_and_writes_nothing(
    here: Path, capfd: pytest.CaptureFixture[str], words: list[str], sentence: str
):
    assert cli.main(words) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    (line,) = captured.err.strip().splitlines()
    assert line.startswith("fieldlens: ")
    assert sentence in line
    assert [file.name for file in here.iterdir()] == ["my photo.png"]


def test_the_configuration_that_a_fit_leaves_says_what_its_defaults_stand_for(here: Path):
    assert cli.main(["fit", "my photo.png", *SMALL]) == 0
    (run,) = Path("outputs/my_photo/fourier-8").iterdir()
    training = read_config(run / "config.yaml", FitConfig).training
    plan = json.loads((run / "run.json").read_text())["plan"]
    assert training.optimizer is not None
    assert (str(training.optimizer), training.learning_rate) == (plan["optimizer"], plan["learning_rate"])


def test_a_resumed_fit_keeps_what_it_was_begun_with(here: Path, capfd: pytest.CaptureFixture[str]):
    assert cli.main(["fit", "my photo.png", *SMALL]) == 0
    assert cli.main(["fit", "--resume", "latest", "--batch-size", "32"]) == 2
    assert "keeps its batch-size" in capfd.readouterr().err
    (run,) = map(str, Path("outputs/my_photo/fourier-8").iterdir())
    assert cli.main(["fit", run]) == 2
    assert f"go on with it: `fieldlens fit --resume {run}`" in capfd.readouterr().err
    assert cli.main(["fit", f"{run}/config.yaml"]) == 2
    assert f"type `fieldlens fit --config {run}/config.yaml`" in capfd.readouterr().err
    for option, value in [("scene", "astronaut"), ("--frames", "all"), ("--network.width", "9"), ("--seed", "1")]:
        words = [value] if option == "scene" else [option, value]
        assert cli.main(["fit", "--resume", "latest", *words]) == 2
        assert f"keeps its {option.strip('-').partition('.')[0]};" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([], {"steps", "seconds", "target_psnr", "plateau"}),
        (["--threads", "2"], {"steps", "seconds", "target_psnr", "plateau"}),
        (["--steps", "9"], {"steps"}),
        (["--target_psnr=9", "--seconds", "3"], {"target_psnr", "seconds"}),
    ],
)
def test_limits_that_are_named_replace_all_that_a_fit_had(words: list[str], kept: set[str]):
    before = FitConfig(training=Training(steps=5, seconds=60.0, target_psnr=30.0, plateau=0.1))
    training = to_json(with_limits_of(before, typed_options(words)).training)
    assert {name for name in ("steps", "seconds", "target_psnr", "plateau") if training[name] is not None} == kept


def test_a_cosine_goes_on_in_steps_alone():
    before = FitConfig(training=Training(steps=5, schedule="cosine"))
    assert with_limits_of(before, ["steps"]) == before
    with pytest.raises(InputError, match="give its length with --steps"):
        with_limits_of(before, ["seconds"])


def test_a_fit_that_met_its_target_goes_on_to_steps_that_are_named(here: Path, capfd: pytest.CaptureFixture[str]):
    assert cli.main(["fit", "my photo.png", *SMALL[2:], "--target-psnr", "1", "--json"]) == 0
    assert last_json(capfd.readouterr().out)["stopped_because"] == "target"
    assert cli.main(["fit", "--resume=latest", "--steps=9", "--json"]) == 0
    captured = capfd.readouterr()
    assert "nothing is left" not in captured.err
    assert last_json(captured.out)["steps"] == 9


def test_a_resumed_comparison_keeps_everything(here: Path, capfd: pytest.CaptureFixture[str]):
    small = ["--encodings", "raw", "fourier:2", "--networks", "2x8", "--steps", "8", "--batch-size", "64"]
    assert cli.main(["compare", "my photo.png", *small, "--output-dir", "here", "--json"]) == 0
    begun = last_json(capfd.readouterr().out)
    resume = ["compare", "--resume", "latest", "--output_dir", "here"]
    for words in (["--steps", "9"], ["--encodings", "raw"], ["astronaut"], ["--frames", "all"], ["--threads", "2"]):
        assert cli.main([*resume, *words]) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert line.startswith("fieldlens: a resumed comparison keeps its ")
    assert cli.main([*resume, "--json"]) == 0
    assert last_json(capfd.readouterr().out)["runs"] == begun["runs"]


def test_a_region_outside_the_picture_is_refused(here: Path, capfd: pytest.CaptureFixture[str]):
    assert cli.main(["fit", "my photo.png", *SMALL]) == 0
    assert cli.main(["render", "latest", "--region", "0.5", "0.5", "0.6", "0.1"]) == 2
    assert "--region takes" in capfd.readouterr().err
    for scale in ("100000", "nan", "inf", "-1"):
        assert cli.main(["render", "latest", "--scale", scale]) == 2
        assert "cannot be drawn" in capfd.readouterr().err


def test_lines_of_progress_end_at_all_of_it(capfd: pytest.CaptureFixture[str]):
    console = Console()
    console.working("drawing", 0.0)
    console.working("drawing", 0.5)
    console.working("writing", 0.25)
    console.working("writing", 1.0)
    console.working("writing", 1.0)
    console.working("reading", 0.0)
    console.result("done")
    lines = capfd.readouterr().err.splitlines()
    assert lines == [
        "drawing  0 %",
        "drawing  100 %",
        "writing  25 %",
        "writing  100 %",
        "reading  0 %",
        "reading  100 %",
    ]


def test_cells_are_drawn_exactly_for_raw_runs_and_interpolated_for_others(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert cli.main(["fit", "my photo.png", "--encoding", "raw", *SMALL]) == 0
    capfd.readouterr()
    assert cli.main(["analyze", "latest", "--cells", "--region", "0.25", "0.5", "0.5", "0.25", "--json"]) == 0
    found = last_json(capfd.readouterr().out)
    drawing = Path(found["path"])
    assert json.loads((drawing.parent / "cells.json").read_text())["cells"] == found["cells"] > 1
    # the picture is 32 x 24 pixels, of which the region has 16 x 6
    assert found["area"]["mean"] * found["cells"] == pytest.approx(16 * 6)
    root = ElementTree.parse(drawing).getroot()
    width, height = map(int, root.get("viewBox", "").split()[2:])
    assert width == 1024
    assert 384 < height < 640  # below the drawing stands what it shows
    assert [child.tag.rpartition("}")[2] for child in root][:4] == ["title", "rect", "image", "path"]
    # each cell but one closes with an edge more than it adds vertices (Euler)
    assert sum(child.get("d", "").count("M") for child in root) > found["cells"] // 2
    over = cv2.imread(str(drawing.with_suffix(".png")))
    monkeypatch.setattr("fieldlens.studies.questions.cells.MAX_DRAWN_LINES", found["cells"])
    assert cli.main(["analyze", "latest", "--cells", "--region", "0.25", "0.5", "0.5", "0.25"]) == 0
    root = ElementTree.parse(drawing).getroot()
    assert not root.findall("{*}path"), "too many lines: the picture has them in it"
    data = base64.b64decode(root[2].get("href", "").partition(",")[2])
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert over is not None
    assert shown is not None
    assert np.array_equal(shown, over[: len(shown), : shown.shape[1]])
    assert cli.main(["analyze", "latest", "--cells", "--region", "0.5", "0.5", "0.6", "0.1"]) == 2
    assert "--region takes" in capfd.readouterr().err

    assert cli.main(["fit", "my photo.png", "--encoding", "fourier:2", *SMALL, "--json"]) == 0
    run = last_json(capfd.readouterr().out)["path"]
    assert cli.main(["analyze", run, "--cells", "--max-cells", "100"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "would hold about" in line
    region = line.partition("--region ")[2].partition(",")[0].split()
    assert cli.main(["analyze", run, "--cells", "--max-cells", "100", "--region", *region]) == 0
    out = capfd.readouterr().out
    assert "cells at step" in out
    assert "(up to 2.0 % is accepted)" in out
    found = json.loads((Path(run) / "analysis" / "cells.json").read_text())
    assert found["exact"] is False
    assert 1 < found["cells"] < 200
    assert found["interpolation"]["change"] <= 0.02
    assert found["interpolation"]["cells_per_pitch"][-1] == found["cells"]
    image = cv2.imread(str(Path(run) / "analysis" / "cells.png"))
    assert image is not None
    assert image.shape[1] == 1024


@pytest.mark.parametrize(("analysis", "words"), [("confusion", "px apart, "), ("kernel", "rank")])
def test_confusion_and_kernel_are_written_beside_the_verdict(
    here: Path, capfd: pytest.CaptureFixture[str], analysis: str, words: str
):
    assert cli.main(["fit", "my photo.png", *SMALL]) == 0
    capfd.readouterr()
    assert cli.main(["analyze", "latest", f"--{analysis}", "--json"]) == 0
    found = last_json(capfd.readouterr().out)
    drawing = Path(found["path"])
    assert drawing.name == f"{analysis}.png"
    assert drawing.stat().st_size > 1000
    assert json.loads((drawing.parent / f"{analysis}.json").read_text())["step"] == found["step"] == 8
    assert cli.main(["analyze", "latest", f"--{analysis}"]) == 0
    assert words in capfd.readouterr().out


def test_options_change_a_preset_and_nothing_else():
    before = starting_config(CompareConfig, "compare", Beginning(preset="demo"))
    assert str(before.encodings[1]) == "fourier:8"
    assert starting_config(FitConfig, "fit", Beginning()) == FitConfig()
    changed = parse(FitArguments, "fit", "", ["x.png", "--seed", "7"], arguments_from(FitArguments, FitConfig()))
    assert (changed.scene, changed.seed, changed.training) == ("x.png", 7, FitConfig().training)


def test_an_option_to_begin_with_that_is_not_there_is_none():
    assert beginning("fit", ["photo.jpg"]).preset is None


def test_an_option_to_begin_with_is_found_among_all_others():
    words = ["photo.jpg", "--network.width=8", "--preset", "authors", "--encoding", "raw", "-h", "--seed", "7"]
    assert beginning("fit", words).preset == "authors"


@pytest.mark.parametrize(
    "words",
    [
        ["--output-dir", "there"],
        ["--output_dir", "there"],
        ["--output-dir=there"],
        ["--output_dir=there"],
        ["--output-dir", "here", "--output-dir", "there"],
    ],
)
def test_an_option_to_begin_with_is_what_the_parser_reads(words: list[str]):
    assert str(beginning("fit", words).output_dir) == "there"
    assert str(parse(FitArguments, "fit", "", words).output.output_dir) == "there"


def test_the_preset_of_the_authors_is_their_setting():
    config = starting_config(FitConfig, "fit", Beginning(preset="authors"))
    training = config.training
    assert (str(config.encoding), str(config.network)) == ("fourier:8", "4x512")
    assert (training.learning_rate, training.schedule, training.batch_size) == (1e-3, "constant", 8192)
    assert training.steps == 1000 * 512 * 512 // 8192


def test_ctrl_c_writes_what_there_is_and_ends_with_status_130(here: Path):
    command = [sys.executable, "-m", "fieldlens", "fit", "my photo.png", *SMALL[2:], "--steps", "100000", "--json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": ROOT}
    )
    try:
        while not list(here.glob("outputs/*/*/*/frames/0000004.png")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    result = json.loads(out)
    assert result["stopped_because"] == "interrupted"
    assert f"fieldlens fit --resume {result['path']}" in err.replace("'", "")
    assert Path(result["video"]).exists()
    assert Path(result["report"]).exists()
    assert list(Path(result["path"]).glob("checkpoints/*.safetensors"))


def test_ctrl_c_while_a_comparison_is_being_set_up_ends_with_status_130(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def interrupted_load(*args: Any, **options: Any) -> Scene:
        signal.raise_signal(signal.SIGINT)
        return load(*args, **options)

    monkeypatch.setattr(fieldlens.studies.runs.fit, "load", interrupted_load)
    assert cli.main(["compare", "my photo.png", "--steps", "8"]) == 130
    assert capfd.readouterr().err.endswith("fieldlens: interrupted\n")


ROOT = str(Path(__file__).parent.parent.parent)


def test_help_is_printed_without_heavy_imports(capfd: pytest.CaptureFixture[str]):
    assert cli.main(["--help"]) == 0
    printed = capfd.readouterr().out
    assert all(verb in printed for verb in cli.VERBS)


@pytest.mark.parametrize("json_last", [False, True])
def test_a_signal_goes_through_fit_resume_analyze_and_compare(
    here: Path, capfd: pytest.CaptureFixture[str], json_last: bool
) -> None:
    asked = ["--json"] if json_last else []
    tiny = ["--network.width", "8", "--network.depth", "2", "--threads", "1", "--frames", "every:4"]
    signal = "signal:5,samples=64"

    def said(words: list[str]) -> str:
        assert cli.main([*words, *asked]) == 0
        return capfd.readouterr().out

    first = said(["fit", signal, "--encoding", "fourier:3", "--steps", "8", *tiny])
    more = said(["fit", "--resume", "latest", "--steps", "12"])
    again = said(["analyze", "latest"])
    both = said(
        ["compare", signal, "--encodings", "raw", "fourier:3", "--networks", "2x8", "--steps", "8", "--threads", "1"]
    )
    if json_last:
        assert [last_json(text).get("steps") for text in (first, more)] == [8, 12]
        assert last_json(again)["verdict"] == last_json(more)["verdict"]
        assert [run["encoding"] for run in last_json(both)["runs"]] == ["raw", "fourier:3"]
    else:
        for text in (first, more, again):
            assert "amplitude" in text
    assert cli.main(["analyze", "latest", "--all-checkpoints"]) == 2
    assert "for pictures" in capfd.readouterr().err


@pytest.mark.parametrize(("drawn", "said"), [(8, "9.00 dB at step 8  8.png"), (20, "9.00 dB  8.png")])
def test_progress_says_of_which_step_the_quality_is(capfd: pytest.CaptureFixture[str], drawn: int, said: str):
    moment = Moment("raw", 20, 1.0, 9.0, 20.0, 0.5, Path("8.png"), drawn)
    Console().fitting(moment)
    line = capfd.readouterr().err.strip()
    assert line.startswith("raw  step 20  20.0 steps/s")
    assert line.endswith(said)
