"""What `make bench` and `make speed` time: `python -m tools.bench NAME`."""
