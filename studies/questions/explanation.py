"""The missing detail of a finished run, explained anew from any checkpoint."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fieldlens.configs.records import INLINE
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import analysis_path, open_run, refresh_report

from ..subjects.found import Summary, write_explained


@dataclass(frozen=True)
class ExplainedAnew:
    """What explaining a run anew found, and where it lies."""

    path: Path
    """Of the folder with maps and numbers."""
    report: Path | None
    """None before the run's first end."""
    step: int
    summary: Summary = field(metadata=INLINE)

    @property
    def lines(self) -> list[str]:
        """The verdict, and where the rest is."""
        report = [] if self.report is None else [f"report  {self.report}"]
        return [*self.summary.sentences, f"maps    {self.path}", *report]


def analyze(folder: RunFolder, *, step: int | None = None, reporter: Reporter | None = None) -> ExplainedAnew:
    """Explain the missing detail of a run anew, from its newest checkpoint or that of `step`.

    The newest replaces the run's analysis and report; another step's goes to `analysis/step<N>/`.

    Raises:
        InputError: as `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter, into=folder.analysis)
    subject = saved.subject
    finished = subject.finish(saved.field, partial(reporter.working, "drawing the reconstruction"))
    progress = partial(reporter.working, "explaining missing detail")
    explained = subject.explain(saved.state, saved.plan, finished, progress=progress)
    path = analysis_path(folder, saved.step)
    write_explained(path, explained)
    report = refresh_report(folder, saved.step, reporter, explained.summary)
    return ExplainedAnew(path, report, saved.step, explained.summary)
