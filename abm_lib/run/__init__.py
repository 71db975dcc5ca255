"""`abm run`: readings, notebooks, pages, gate, and the move into place.

execute.py   papermill runs each notebook in a kernel of its own
render.py    a run notebook becomes one page
publish.py   the steps in order, in a private folder that becomes the edition by one rename
"""
