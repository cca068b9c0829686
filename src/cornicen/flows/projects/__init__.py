"""A project folder: its YAML read, checked, compared with what is stored, and applied."""
