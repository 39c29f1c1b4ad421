"""What the book's pages draw, quote and show; nothing else of the module needs it."""
