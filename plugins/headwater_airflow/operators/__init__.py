"""One operator per stage of the chain. They load the spec, call the use case, and put its report into the log."""
