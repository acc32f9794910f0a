"""One file per verb, and what verbs share. Heavy libraries are imported inside the verb that needs them."""

DONE, WRONG_INPUT, INTERRUPTED = 0, 2, 130
"""The exit statuses."""
