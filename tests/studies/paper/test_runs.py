"""The study of the paper: its fits are made once, its claims are judged from what they measured."""

import json
import re
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest
import torch
from skimage.measure import label

from fieldlens.analysis import ReluNetwork, hamming_means, relu_network
from fieldlens.cli import main
from fieldlens.configs.encoding import Encoding, Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.holding import held
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.records import from_json, to_json
from fieldlens.configs.run import FitConfig, Training
from fieldlens.configs.storage import from_yaml, read_config, to_yaml
from fieldlens.configs.study import Study
from fieldlens.fields import build_encoding
from fieldlens.fitting import Controls
from fieldlens.studies.paper.claims import CLAIMS
from fieldlens.studies.paper.effects import Fits, cells_in_windows, rising
from fieldlens.studies.paper.figures import DRAWINGS
from fieldlens.studies.paper.page import PaperFound, run_paper
from fieldlens.studies.paper.runs import ROLES, WATCHED, Runs, measured_steps, run_study
from fieldlens.studies.runs.checkpoints import checkpoint_file
from fieldlens.studies.runs.history import History, read_history, write_history
from fieldlens.studies.runs.quantities import QUANTITIES
from fieldlens.studies.runs.reporter import Silent
from fieldlens.studies.runs.saved import open_run
from fieldlens.verbs.options import PRESETS
from tests.studies.paper.test_claims import measured
from tests.support.kills import KilledError, kill_at
from tests.support.small_networks import field_of

TINY = Study(
    pictures=("astronaut",),
    repeats=2,
    max_side=16,
    network=Network(width=8, depth=2),
    raw=(Raw((0, 1)), Raw((-1, 1))),
    few_octaves=(1, 2),
    coarse_octaves=2,
    fine_octaves=3,
    sizes=(Network(width=4, depth=2), Network(width=8, depth=2)),
    bias_spreads=(0.25, 1.0, 4.0),
    revivals=(0, 3),
    muon=Muon(),
    adam_rate=3e-3,
    signal="signal:1,3,samples=32",
    signal_octaves=(1, 2),
    signal_network=Network(width=8, depth=2),
    digits=True,
    training=Training(
        steps=12, batch_size=64, learning_rate=1e-3, schedule="constant", average=0, precision="fp32", device="cpu"
    ),
    measured=3,
)
THREE = replace(TINY, repeats=3)
"""As many units as an interval takes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny study with everything in it."""
    path = tmp_path_factory.mktemp("study")
    run_paper(TINY, path)
    return path


def times_of_writing(path: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in path.glob("runs/*/analysis/over_training.csv")}


def test_every_claim_and_figure_is_there_and_said_in_json(folder: Path) -> None:
    result = json.loads((folder / "claims.json").read_text())
    assert [claim["id"] for claim in result["claims"]] == [claim.id for claim in CLAIMS]
    for claim in result["claims"]:
        assert {"id", "effect", "interval", "verdict"} <= set(claim)
        assert claim["verdict"] in ("holds", "does not hold", "undecided")
    assert {file.stem for file in (folder / "figures").glob("*.svg")} == {drawing.id for drawing in DRAWINGS}
    page = (folder / "report.html").read_text()
    assert all(f'<th scope="row">{claim.id}</th>' in page for claim in CLAIMS)
    assert "http" not in page.replace("http-equiv", "").partition("<tbody>")[0]
    document = (folder / "claims.md").read_text()
    assert document.count("\n| ") == len(CLAIMS) + 1
    assert all((folder / link).exists() for link in re.findall(r"\]\((.*?)\)", document))


def test_muon_is_spoken_of_where_its_fits_are_looked_at_alone(folder: Path) -> None:
    assert "speak of Muon" in (folder / "claims.md").read_text().partition("| claim |")[0]
    part = run_paper(TINY, folder, only=("A4",))
    assert "uon" not in (part.path / "claims.md").read_text()


def test_what_a_study_does_not_have_is_none_in_its_protocol(tmp_path: Path) -> None:
    without = replace(TINY, muon=None, adam_rate=None, signal="")
    page = run_paper(without, tmp_path, only=("E14",)).report.read_text()
    for name in ("muon", "adam_rate", "signal"):
        assert re.search(rf">{name}</\w+>\s*<\w+>none<", page), name


def test_what_a_study_found_survives_its_file(folder: Path) -> None:
    result = json.loads((folder / "claims.json").read_text())
    assert to_json(from_json(PaperFound, result)) == result


def test_finished_fits_are_used_again(folder: Path) -> None:
    before = times_of_writing(folder)
    page = (folder / "report.html").read_bytes()
    part = run_paper(TINY, folder, only=("A4", "E2"))
    assert times_of_writing(folder) == before
    assert (folder / "report.html").read_bytes() == page, "the whole study's page stays as it is"
    assert [claim.id for claim in part.claims] == ["A4"]
    assert [file.stem for file in (part.path / "figures").iterdir()] == ["E2"]
    assert len(before) == len(Runs(TINY, folder).fits())


def test_what_says_that_a_study_is_finished_is_written_last(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_paper(TINY, folder, only=("A4",)).path / "claims.json"
    with monkeypatch.context() as patched:
        kill_at(patched, found.with_name("report.html"))
        with pytest.raises(KilledError):
            run_paper(TINY, folder, only=("A4",))
    assert not found.exists()
    run_paper(TINY, folder, only=("A4",))
    assert found.exists()


def test_a_study_that_another_process_writes_is_left_to_it(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(InputError, match="is in use: process"):
        run_paper(TINY, tmp_path, only=("A4",))
    assert not (tmp_path / "runs").exists()


def test_a_changed_protocol_is_not_taken_for_the_old_one(folder: Path) -> None:
    runs = Runs(replace(TINY, training=replace(TINY.training, steps=13)), folder)
    assert not any(runs.finished(config) for config in runs.fits())
    more = Runs(replace(TINY, measured=4), folder)
    assert not any(more.finished(config) for config in more.fits())


def test_what_is_damaged_or_of_another_protocol_is_made_anew(tmp_path: Path) -> None:
    run_paper(THREE, tmp_path, only=("A13",))
    runs = Runs(THREE, tmp_path)
    first, second, third = (runs.folder(config) for config in runs.fits(("one octave",)))
    checkpoint_file(first.checkpoints, 12).unlink()
    history = read_history(second.history_file)
    fewer = {name: values for name, values in history.columns.items() if not name.startswith("dead")}
    write_history(second.history_file, History(history.steps, fewer))
    untouched = third.history_file.stat().st_mtime_ns
    run_paper(THREE, tmp_path, only=("A13",))
    assert checkpoint_file(first.checkpoints, 12).exists()
    assert read_history(second.history_file).quantities == history.quantities
    assert third.history_file.stat().st_mtime_ns == untouched
    shorter = replace(THREE, training=replace(TINY.training, steps=8))
    run_paper(shorter, tmp_path, only=("A13",))
    assert open_run(first).step == 8, "no checkpoint of the longer protocol is left to be the newest"


def test_workers_end_within_a_step_when_told_to_stop(tmp_path: Path) -> None:
    long = replace(TINY, training=replace(TINY.training, steps=10**7), measured=3)
    controls = Controls()
    torch.set_num_threads(2)
    try:
        Timer(8.0, lambda: setattr(controls, "stop", True)).start()
        assert not run_study(Runs(long, tmp_path), ("one octave",), Silent(), controls)
    finally:
        torch.set_num_threads(1)
    assert not times_of_writing(tmp_path)


def test_only_the_fits_that_a_claim_looks_at_are_made(tmp_path: Path) -> None:
    found = run_paper(THREE, tmp_path, only=("A13",))
    assert found.claims[0].parts[0].interval is not None
    assert from_json(PaperFound, json.loads((found.path / "claims.json").read_text())) == found
    made = {file.parent.parent.name for file in times_of_writing(tmp_path)}
    assert made == {f"fourier-1_2x8_{seed}_static" for seed in range(3)}


def test_a_stopped_study_keeps_what_is_finished_and_goes_on(tmp_path: Path) -> None:
    controls = Controls()

    class StopAfterTwo(Silent):
        made = 0

        def working(self, task: str, done: float) -> None:
            self.made += 1
            controls.stop = self.made == 2

    with pytest.raises(KeyboardInterrupt):
        run_paper(TINY, tmp_path, only=("A4",), reporter=StopAfterTwo(), controls=controls)
    kept = times_of_writing(tmp_path)
    assert len(kept) == 2
    run_paper(TINY, tmp_path, only=("A4",))
    assert kept.items() <= times_of_writing(tmp_path).items()


def test_a_fit_is_a_run_folder_like_any_other(folder: Path) -> None:
    runs = Runs(TINY, folder)
    saved = open_run(runs.folder(runs.config(runs.units[0], TINY.fine)))
    assert saved.step == 12
    assert saved.config.encoding == TINY.fine


def test_no_two_units_share_their_initial_weights(folder: Path) -> None:
    runs = Runs(TINY, folder)
    lengths = [runs.history(unit, TINY.fine)["crease_length"][0] for unit in runs.units]
    assert len(set(lengths)) == len(lengths)


def test_what_is_measured_has_a_title(folder: Path) -> None:
    runs = Runs(TINY, folder)
    assert set(runs.history(runs.units[0], TINY.fine).quantities) <= set(QUANTITIES)


def test_the_number_of_processes_changes_no_field(folder: Path, tmp_path: Path) -> None:
    """Tests have one torch thread, so the study of the fixture made its fits one after the other, in this process."""
    torch.set_num_threads(2)
    try:
        runs, before = Runs(TINY, tmp_path), Runs(TINY, folder)
        assert run_study(runs, ("one octave",), Silent(), Controls())
    finally:
        torch.set_num_threads(1)
    for config in runs.fits(("one octave",)):
        here, there = (open_run(made.folder(config)).field.state_dict() for made in (runs, before))
        assert all(torch.equal(here[name], there[name]) for name in here)
        ours, theirs = (read_history(made.folder(config).history_file) for made in (runs, before))
        for column, values in ours.columns.items():
            # sums may end in another digit where memory happens to be aligned otherwise
            np.testing.assert_allclose(values, theirs.columns[column], rtol=1e-5, atol=1e-7)


def test_measured_steps_begin_at_zero_and_end_at_the_last() -> None:
    tiers = sorted((PRESETS / "paper").glob("*.yaml"))
    assert [tier.stem for tier in tiers] == ["cpu", "full", "quick"]
    for tier in tiers:
        study = read_config(tier, Study)
        steps = measured_steps(study)
        assert (steps[0], steps[-1]) == (0, study.training.steps)
        assert steps == sorted(set(steps))
        assert {step for step in WATCHED if step <= steps[-1]} <= set(steps)


def test_the_quick_tier_is_what_a_study_is_by_default() -> None:
    assert read_config(PRESETS / "paper" / "quick.yaml", Study) == Study()


def test_the_authors_optimizer_is_named_and_no_default_of_the_program() -> None:
    for tier in sorted((PRESETS / "paper").glob("*.yaml")):
        assert read_config(tier, Study).training.optimizer == Adam()
    assert read_config(PRESETS / "fit" / "authors.yaml", FitConfig).training.optimizer == Adam()
    assert TINY.training.optimizer is None
    runs = Runs(TINY, Path("nowhere"))
    assert {config.training.optimizer for config in runs.fits(("raw", "sizes, fine", "digits"))} == {Adam()}


def test_a_study_survives_its_file() -> None:
    assert from_yaml(to_yaml(TINY), Study, "here") == TINY


@pytest.mark.parametrize(
    "changes",
    [
        *({"pictures": ()}, {"repeats": 0}, {"raw": (Raw(),)}, {"coarse_octaves": 3}, {"measured": 2}),
        *({"revivals": revivals} for revivals in ((-1, 2), (0, 5), (3, 0), (1, 2), (0,))),
        {"revivals": (0, 1), "network": Network(activation="sine")},
        {"network": Network(width=8, depth=1)},
        {"muon": None},
        *({"training": replace(TINY.training, **other)} for other in ({"average": 0.05}, {"optimizer": Muon()})),
    ],
)
def test_a_study_that_cannot_be_judged_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        replace(TINY, **changes)  # type: ignore[arg-type]


def test_the_authors_grid_is_an_interval_at_which_centres_are_their_coordinates() -> None:
    study, n = replace(TINY, grid="authors"), 16
    centres = torch.from_numpy((np.arange(n) + 0.5) / n)[:, None].float()

    def placed(encoding: Encoding) -> np.ndarray:
        return build_encoding(study.on_grid(encoding, n), 1, torch.Generator())(centres).numpy()

    np.testing.assert_allclose(placed(Raw((-1, 1)))[:, 0], 2 * np.arange(n) / n - 1, atol=1e-6)
    angles = np.pi * 2.0 ** np.arange(3) * np.linspace(0, 1, n)[:, None]
    waves = placed(Fourier(3))
    np.testing.assert_allclose(waves[:, 0::2], np.sin(angles), atol=1e-6)
    np.testing.assert_allclose(waves[:, 1::2], np.cos(angles), atol=1e-6)


def test_on_the_authors_grid_fits_are_others_and_quadrants_have_a_gap(tmp_path: Path) -> None:
    theirs, ours = Runs(replace(TINY, grid="authors"), tmp_path), Runs(TINY, tmp_path)
    assert not set(theirs.fits(("raw", "fine", "signals"))) & set(ours.fits())
    config, field = theirs.config(theirs.units[0], TINY.fine), field_of("fourier:3")
    opposite = [runs.fitted(config).measure(field)["hamming_opposite__layer1"] for runs in (theirs, ours)]
    network = relu_network(field)
    exact = [hamming_means(network, 16, 16, gap_px=gap).opposite[0] for gap in (round(16 * 50 / 512), 0)]
    assert opposite == pytest.approx(exact)
    assert exact[0] != exact[1]


def test_doses_differ_in_their_dose_and_lie_in_folders_of_their_own(folder: Path) -> None:
    runs = Runs(TINY, folder)
    unit = runs.units[0]
    spreads, revived = runs.playing(unit, "biases"), runs.playing(unit, "revived")
    assert [config.network.bias_spread for config in spreads] == [0.25, 1, 4]
    assert spreads[1] == runs.playing(unit, "raw")[1], "no dose is the fit that is there already"
    assert [config.training.revive_at for config in revived] == [(), (1, 3, 4)]
    assert len({runs.folder(config).path for config in runs.fits()}) == len(runs.fits())
    wide = [runs.histories(unit, "biases")[index]["narrowness"][0] for index in range(3)]
    assert len(set(wide)) == 3


def test_muon_is_set_against_adam_in_fits_that_are_alike_in_all_else(folder: Path) -> None:
    runs = Runs(TINY, folder)
    unit = runs.units[0]
    for role, encoding in (("raw", TINY.raw[0]), ("fine", TINY.fine)):
        adam, (muon,) = runs.playing(unit, role)[0], runs.playing(unit, f"{role}, muon")
        assert (adam.encoding, adam.training.optimizer, muon.training.optimizer) == (encoding, Adam(), Muon())
        assert replace(muon, training=replace(muon.training, optimizer=Adam())) == adam
        (searched,) = runs.playing(unit, f"{role}, searched")
        assert replace(adam, training=replace(adam.training, learning_rate=3e-3)) == searched
        parted = runs.playing(unit, f"held out, {role}")
        assert parted == [replace(one, target=replace(one.target, holdout="even-rest")) for one in (adam, muon)]
        for quantity in ("psnr_db", "heldout_psnr_db"):
            ends = [history[quantity][-1] for history in runs.histories(unit, f"held out, {role}")]
            assert np.isfinite(ends).all()
            assert ends[0] != ends[1]


def test_a_study_without_the_fits_of_a_claim_leaves_it_out(tmp_path: Path) -> None:
    small = replace(TINY, repeats=1, digits=False, bias_spreads=(), muon=None, adam_rate=None)
    for missing in ("A16", "N7", "N8", "N13", "E15"):
        with pytest.raises(InputError, match=f"{missing} needs fits that this study does not make"):
            run_paper(small, tmp_path, only=(missing,))
    assert not list(tmp_path.iterdir())
    made = run_paper(small, tmp_path, only=("A13", "N1"))
    assert [claim.id for claim in made.claims] == ["A13", "N1"]


def test_an_unknown_claim_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["paper", "--only", "A99", "--output-dir", str(tmp_path)]) == 2
    assert "'A99' is no claim" in capsys.readouterr().err
    assert not (tmp_path / "paper").exists()


def test_every_claim_names_fits_that_there_are() -> None:
    for thing in (*CLAIMS, *DRAWINGS):
        assert set(thing.roles) <= set(ROLES)


def test_a7_counts_the_cells_of_trained_fields_in_windows(folder: Path) -> None:
    runs = Runs(TINY, folder)
    fits = Fits(runs, runs.units[0])
    places = [(x / 6, y / 6) for x in (1, 3, 5) for y in (1, 3, 5)]
    counts = []
    for encoding in (*TINY.raw, *TINY.few):
        network = relu_network(open_run(runs.folder(runs.config(fits.unit, encoding))).field)
        found = 0
        for x, y in places:  # square, as the picture is
            corners = np.array([x, y, x, y]) + np.array([-1, -1, 1, 1]) / 32
            found += connected_patterns(network, corners)
        counts.append(found)
        assert cells_in_windows(fits, encoding) == pytest.approx(found, abs=1), encoding
    assert measured("A7", 0, fits) == pytest.approx(rising(list(map(float, counts))), abs=0.1)


def connected_patterns(network: ReluNetwork, window: np.ndarray) -> int:
    """Cells on a fine raster: sets of neighbours with the same neurons on."""
    left, top, right, bottom = window
    x, y = (torch.linspace(low, high, 301) for low, high in ((left, right), (top, bottom)))
    points = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).flatten(0, 1).float()
    bits = torch.cat([z > 0 for z in network.preactivations(points)], 1).numpy()
    _, number = np.unique(bits, axis=0, return_inverse=True)
    cells: Any = label(number.reshape(301, 301) + 1, connectivity=1)
    return int(cells.max())
