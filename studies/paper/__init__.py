"""The paper's study: its fits, its claims measured on them, its figures, and the page that shows both."""
