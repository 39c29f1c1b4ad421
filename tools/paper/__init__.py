"""The book for other readers than a browser: `make pdf` and `make epub`, from the built site."""
