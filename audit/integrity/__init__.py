"""Does the log agree with itself, with its rows, and with what was signed before?

Open `check.py` first: the numbered procedure behind `countermark log check`.
"""

from audit.integrity.problems import CheckReport, Problem, ProblemKind, Progress

__all__ = ["CheckReport", "Problem", "ProblemKind", "Progress"]
