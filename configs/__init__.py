"""What a person may choose: frozen dataclasses, the parsers of their one-word forms, presets. No heavy import."""
