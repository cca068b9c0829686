"""The door: finds a vendor's route, refuses what is too big, and serves the status page."""
