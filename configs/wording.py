"""Numbers of things, as sentences have them."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things; `many` is the plural where that is not `one` with an s.

    >>> counted(1, "view"), counted(0, "view"), counted(12000, "vertex", "vertices")
    ('1 view', '0 views', '12,000 vertices')
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
