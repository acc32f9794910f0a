"""The table of questions: each is asked by an option, of the kinds of scene it is for."""

from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.scenes.load import load
from fieldlens.studies.questions.table import QUESTIONS
from fieldlens.studies.runs.answers import DRAWN
from fieldlens.studies.subjects.choice import subject_of
from fieldlens.studies.subjects.kinds import KINDS
from fieldlens.verbs.analyze import AnalyzeArguments
from tests.support.runs import small_picture

SAID_BY_EVERY_VERB = {"run", "encoding", "output_dir", "json"}


def test_every_option_of_analyze_asks_a_question_or_goes_with_one() -> None:
    options = {field.name for field in fields(AnalyzeArguments)} - SAID_BY_EVERY_VERB
    assert options == {*QUESTIONS}.union(*(question.options for question in QUESTIONS.values()))
    assert [question.option for question in QUESTIONS.values()] == [f"--{name.replace('_', '-')}" for name in QUESTIONS]


def test_a_question_is_answered_by_a_function_of_what_may_be_said_with_it() -> None:
    for question in QUESTIONS.values():
        assert {*signature(question.answer).parameters} == {"folder", "reporter", *question.options}


def test_what_the_report_shows_is_asked_for() -> None:
    assert {*DRAWN} <= {*QUESTIONS}


def test_a_question_is_refused_for_every_other_kind_of_scene_in_a_sentence(tmp_path: Path) -> None:
    words = [str(small_picture(tmp_path / "picture.png")), "signal:5,samples=64"]
    subjects = [subject_of(load(word)) for word in words]
    assert [subject.kind for subject in subjects] == ["picture", "signal"]
    for question in QUESTIONS.values():
        for subject in subjects:
            if subject.kind in question.kinds:
                question.check(subject)
            else:
                with pytest.raises(
                    InputError, match=f"^{question.option} is for .*, and this run is of {KINDS[subject.kind]};"
                ):
                    question.check(subject)
