"""The pieces of the Sphinx extension: each file is one thing that a page can show."""
