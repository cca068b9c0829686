"""``python -m cornicen.apps.cli``: the same as the console script."""

from cornicen.apps.cli import main

main()
