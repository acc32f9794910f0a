"""The texts for people; `figures` draws their pictures."""
