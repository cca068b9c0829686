"""The doors and roles; `build` alone puts a house together from settings."""
