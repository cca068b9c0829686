"""The words of the language, one folder each."""
