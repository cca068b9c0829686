"""What a cohort means.

`definition` turns what a person writes into a `query`; `meaning` says, slowly and in plain Python, who is in it: it is
normative, and every engine must give the same people. `operators` holds one folder for each word of the language, made of the
`parts` they share; `schema` is the JSON Schema of them all.
"""
