"""`make bench`: ratios against peers, each in a process of its own. `python tests/bench [chapter ...]`."""

import importlib
import sys

CHAPTERS = ("reach", "streets", "city", "siting")

for chapter in sys.argv[1:] or CHAPTERS:
    importlib.import_module(chapter).rows()
