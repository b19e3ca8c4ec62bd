"""The course's grader: assignments, their checks, and what a submission gets for them."""
