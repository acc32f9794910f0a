"""The hub between training and server: the newest alone is handed on, and every question gets one answer."""

import asyncio

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.fitting import Controls
from fieldlens.studies.live import hub as hubs
from fieldlens.studies.live.app import _news
from fieldlens.studies.live.asked import Command
from fieldlens.studies.live.hub import Hub, Viewer


def test_a_viewer_that_is_slow_gets_the_newest_moment_and_none_of_those_before() -> None:
    hub = Hub(Controls().look_now)

    async def watch() -> list[str]:
        news = _news(hub, Viewer(None, asyncio.get_running_loop()))
        hub.publish("first", {})
        seen = [await anext(news)]
        for word in ("second", "third", "fourth"):
            hub.publish(word, {})
        seen.append(await anext(news))
        hub.publish("fifth", {})
        seen.append(await anext(news))
        await news.aclose()
        return seen

    assert asyncio.run(watch()) == ["data: first\n\n", "data: fourth\n\n", "data: fifth\n\n"]
    assert not hub.is_watched


def test_looking_and_asking_call_for_a_moment_of_the_fit() -> None:
    controls = Controls()
    hub = Hub(controls.look_now)
    hub.answers()
    hub.ask(Command("step"))
    assert controls.look_now.is_set()
    controls.look_now.clear()

    async def watch() -> set[str]:
        with hub.watching(Viewer("density", asyncio.get_running_loop())):
            assert controls.look_now.is_set()
            return hub.maps

    assert asyncio.run(watch()) == {"density"}
    assert hub.maps == set()


def test_questions_are_refused_before_a_fit_and_after_it_and_where_too_many_wait() -> None:
    hub = Hub(Controls().look_now)
    with pytest.raises(InputError, match="has not begun"):
        hub.ask(Command("step"))
    hub.answers()
    gone, *waiting = (hub.ask(Command("step")) for _ in range(hubs.MOST_QUESTIONS))
    gone.cancel()
    with pytest.raises(InputError, match="too many questions"):
        hub.ask(Command("step"))
    hub.close("the fit is over")
    with pytest.raises(InputError, match="is over"):
        hub.ask(Command("step"))
    assert all(isinstance(one.exception(0), InputError) for one in waiting)
    assert not hub.answer(lambda _question: {})
