"""Pictures: read from files, decoded and reduced."""
