"""From a cohort to what is owed, and from what is owed to the destination."""
