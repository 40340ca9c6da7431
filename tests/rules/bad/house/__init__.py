"""Two rooms; the lower one looks up."""
