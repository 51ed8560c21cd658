"""Relations of databases whose own driver gives rows, every value in a form that loses nothing."""
