"""The texts for people; `figures` draws their pictures, `pages` makes a site of them."""
