"""`abm run`: readings, notebooks, pages, gate, and the move into place; and what is done around it.

publish.py     the steps in order, in a private folder that becomes the edition by one rename
make.py        pages out of notebooks; reuse.py: those, and readings, that need not be made again
execute.py     papermill runs each notebook in a kernel of its own; workers.py: the processes that do so, several at once
kernels.py     where kernels come from: a fork of one process that has imported everything (forkserver.py, engine.py)
render.py      a run notebook becomes one page
gate.py        what the final bytes must be
log.py         what a run says of itself
diff.py        what moved between two editions, and why
schedule.py    files for schedulers, and the heartbeat; notify.py: telling people
"""
