"""Definitions parsed, looked at and evaluated."""
