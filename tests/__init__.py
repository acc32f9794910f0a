"""The tests of fieldlens: one file per module, and those of the house."""
