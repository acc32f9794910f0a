"""The tests of fieldlens: one file per module, in folders as its package has wings, and those of the house."""
