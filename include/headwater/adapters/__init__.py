"""One package per external system, each implementing a port; fakes stand beside the real ones."""
