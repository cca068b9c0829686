"""Bytes, whoever sends them: request bodies in, requests out. Knows no vendor and no cohort."""
