"""Which of several quantities goes with missing detail, where what the detail is like is held equal."""
