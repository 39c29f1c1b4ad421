"""Training: data in, a trained network and its record out."""
