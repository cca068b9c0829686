"""Benchmarks: ``make bench NAME=house`` runs one suite."""
