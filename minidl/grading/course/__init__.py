"""The course's grader: assignments, their checks, and what a submission gets for them.

The pages for those who work with it: tutorials/assignments/README.md for students, GRADING.md beside it for
instructors. `minidl grade --help` shows the commands.
"""

from minidl.grading.course.reproduce import reproduce

__all__ = ["reproduce"]
