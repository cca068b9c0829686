"""The meaning itself as an engine: slow, obvious, and what every other engine is held to."""
