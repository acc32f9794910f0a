"""`python -m fieldlens`."""

import sys

from fieldlens.configs.children import module_path


def run() -> int:
    """The command line, with modules from where this program's are: Python has put the working folder first."""
    sys.path[:] = module_path()
    from fieldlens.cli import main

    return main()


sys.exit(run())
