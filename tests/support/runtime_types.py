"""The run-time type checker of the tests; the import hook of `conftest.py` puts it around all our functions."""

from typing import Self

from beartype import BeartypeConf, FrozenDict, beartype

check = beartype(
    conf=BeartypeConf(
        # An int will do where a float is asked for (PEP 484), as pyright has it.
        is_pep484_tower=True,
        # The hook wraps methods one by one, where beartype cannot know what Self is. pyright checks it.
        hint_overrides=FrozenDict({Self: object}),
    )
)
