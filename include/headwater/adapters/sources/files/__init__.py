"""Files that arrive in a landing folder."""
