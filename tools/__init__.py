"""What turns the chapters into a site: run as `python -m tools.book` (see the Makefile)."""
