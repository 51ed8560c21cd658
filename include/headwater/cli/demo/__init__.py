"""The demo: real flights of 2013 through the whole product, on one machine."""
