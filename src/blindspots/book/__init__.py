"""The book: run a notebook, build the site, read its records."""
