"""One file per verb, and what verbs share. Heavy libraries are imported inside the verb that needs them."""

DONE, NOT_TOLD, WRONG_INPUT = 0, 1, 2
"""The exit statuses: all is done; all is done, but standard output did not take the result; what was given cannot be
used. That of an interruption is `terminal.signals.Interrupted.status`."""
