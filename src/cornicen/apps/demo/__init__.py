"""The demo: the whole job on a public data set, through the commands that every user has, and then proven.

`data` reads the data, `scenario` has what we added to it, `play` orchestrates, `audit` reads the simulator back, and
``recompute.py`` is a script of its own that knows nothing of this package.
"""
