"""The keeper: alone opens a project's warehouse; loads, evaluates, and answers over a local socket."""
