"""Contract suites and fixtures for whoever adds an operator, an engine or a vendor; nothing at run time imports it."""
