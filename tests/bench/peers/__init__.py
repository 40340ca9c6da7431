"""What Continuum is measured against: the same rows, the same JSON, and no row-level security to keep."""
