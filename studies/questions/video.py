"""The video of how a run was learnt, made anew of its frames: where the encoder failed, or frames were put back."""

from dataclasses import dataclass, replace
from pathlib import Path

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import require_writable, write_json
from fieldlens.configs.holding import held
from fieldlens.configs.records import to_json
from fieldlens.studies.runs.fit import no_film, write_films
from fieldlens.studies.runs.folder import LOST, RunFolder
from fieldlens.studies.runs.metrics import Metrics
from fieldlens.studies.runs.report import write_report
from fieldlens.studies.runs.reporter import Reporter, Silent


@dataclass(frozen=True)
class VideoMade:
    """The video of a run's frames."""

    path: Path
    turntable: Path | None
    """Seen from a camera that goes around; None where the fit drew no such frames."""
    frames: int
    report: Path | None
    """None before the run's first end."""

    @property
    def lines(self) -> list[str]:
        """How much there is, and where."""
        turntable = [] if self.turntable is None else [f"turntable {self.turntable}"]
        report = [] if self.report is None else [f"report  {self.report}"]
        return [f"video   {self.path}  {counted(self.frames, 'frame')}", *turntable, *report]


def make_video(folder: RunFolder, *, reporter: Reporter | None = None) -> VideoMade:
    """Make the video of a run of the frames that it has, and its turntable where it has one. A run that has ended gets
    them in its report and run.json. Where its video cannot be made, all stays as it was.

    Raises:
        InputError: when there are no frames, another process writes the run, it cannot be written, or the encoder
            fails.
    """
    reporter = reporter or Silent()
    require_writable(folder.path, "copy the run to a folder that you may write, and ask the copy")
    with held(folder.path, reporter.say):
        config, steps = folder.config(), folder.frame_steps()
        if not steps:
            raise InputError(f"{str(folder.path)!r} has no frames yet to make a video of")
        films = write_films(folder, config, _recorded(folder) if folder.ended else steps, reporter)
        if films.video is None:
            raise InputError(films.failures.get(folder.video) or f"no frame of {str(folder.path)!r} can be read")
        films.remove_older()
        for note in films.notes:
            reporter.say(note)
        if not folder.ended:
            return VideoMade(films.video, films.turntable, len(steps), None)
        record = folder.record()
        before = (no_film(folder.video), no_film(folder.turntable), LOST)
        notes = dict.fromkeys((*(note for note in record.notes if not note.startswith(before)), *films.notes))
        record = replace(record, video=films.video, turntable=films.turntable, notes=tuple(notes))
        write_report(folder, record)
        write_json(folder.result_file, to_json(record))
        return VideoMade(films.video, films.turntable, len(steps), folder.report)


def _recorded(folder: RunFolder) -> list[int]:
    """The steps that have a row in the curves."""
    metrics = Metrics(folder.metrics_file)
    metrics.read()
    return [row.step for row in metrics.rows]
