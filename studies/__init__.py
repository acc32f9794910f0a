"""One whole run, comparisons of runs, and the folders they leave: the only writer of run folders."""
