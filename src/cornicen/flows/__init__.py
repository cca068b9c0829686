"""The verbs; `ports` has the Protocols they need, `schedule` says what is due."""
