"""What makes the book, behind the Makefile: `book` the site, `gpu` what a GPU is needed for.

`build` executes chapters and stages them, `extension` is Sphinx's part, `paper` makes PDF and EPUB,
`bench` times, `trials` tries the book elsewhere. Each `make_*` makes something that is committed.
"""
