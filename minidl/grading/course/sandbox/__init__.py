"""Where a submission runs: a process that computes and knows no answer, and one beside it that ends it.

    grader (runner.py)      knows what is expected; writes a request, reads what came, judges
      keeper (keeper.py)    one a submission: imports NumPy once, forks for each check, kills all that it left
        child (child.py)    one a check: reads the request, gives up its rights (confine.py, landlock.py,
                            fence.py), runs the submission, writes raw arrays (wire.py)

Keeper and child run in an interpreter that sees neither the user's packages nor `minidl`: these files import
NumPy, the standard library, and each other, by relative imports, as a package that is called `sandbox` there.
Without `os.fork` (Windows), or where it is not to be trusted (macOS), each check starts a child afresh.

What this can't contain, tutorials/assignments/GRADING.md says, and what to do about it.
"""
