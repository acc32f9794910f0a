"""Where a field bends: creases in pictures, on lines, in space and on screens, slopes beside them, what they can do."""
