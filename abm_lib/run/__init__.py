"""`abm run`: readings, notebooks, pages, gate, and the move into place.

execute.py   papermill runs each notebook in a kernel of its own
workers.py   the processes that do so, several at once
kernels.py   where kernels come from: a fork of one process that has imported everything (forkserver.py, engine.py)
render.py    a run notebook becomes one page
publish.py   the steps in order, in a private folder that becomes the edition by one rename
"""
