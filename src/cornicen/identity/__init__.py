"""Who is who: which names are one person, under the rule that a project has chosen.

The rule is plain Python and normative; the loader applies the same decisions in bulk.
"""
