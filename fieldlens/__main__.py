"""`python -m fieldlens`."""

import sys

from fieldlens.cli import main

sys.exit(main())
