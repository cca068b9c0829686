"""The parts definitions are made of: each says how it is read and what its JSON Schema is, once for all operators.

`place` knows where reading stands and gathers faults; `part` ties a reader to a schema. The others are the parts:
`event`, `window`, `measure`, `condition` (made of `comparison`, `operands` and `options`), `clauses`, `ids`, and the
`scalars` they all consist of.
"""
