"""The run-time type checker of the tests; the import hook of `conftest.py` puts it around all our functions."""

from typing import Self

from beartype import BeartypeConf, FrozenDict, beartype

# The hook wraps methods one by one, where beartype cannot know what Self is. pyright checks it.
check = beartype(conf=BeartypeConf(hint_overrides=FrozenDict({Self: object})))
