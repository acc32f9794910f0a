"""Gradients by the parameters: which points help or hinder each other, and how far a step for one point reaches."""
