"""Everything about billing defaults that is true without a browser."""
