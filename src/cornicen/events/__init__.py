"""What happened: the shapes everything shares.

`shapes` has what travels from a door to the loader, `values` what a property is once it is read, `history` one person's
past as the executable meanings see it.
"""
