"""What the next step of a fit does to the detail that is missing, and why a part of it stays."""
