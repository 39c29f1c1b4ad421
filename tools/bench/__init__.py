"""What `make bench` and `make speed` time, each run as a module."""
