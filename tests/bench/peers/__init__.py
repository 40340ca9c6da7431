"""What Continuum is measured against: the same rows and the same JSON, by people who had no row-level security to keep."""
