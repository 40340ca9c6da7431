"""Care sessions."""
