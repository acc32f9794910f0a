"""One run from plan to report, comparisons of runs, and the folders that they leave, which nobody else writes."""
