"""The vendor's routes: each takes a call apart, lets `state` decide, and writes the answer."""
