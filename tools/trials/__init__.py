"""Trials in environments or copies of their own: `make colab`, `pair`, `mutants`."""
