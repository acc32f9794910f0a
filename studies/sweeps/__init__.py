"""Comparisons of several scenes and seeds: which fits, the making of them, and one table that says what is luck."""
