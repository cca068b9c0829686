"""One module a step, each with the revision it leads to and the one it starts from."""
