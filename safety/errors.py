"""What can go wrong in the gates, and who can put it right.

    SafetyError
    ├── PolicyInvalid            whoever wrote the policy file
    ├── ClassifierUnavailable    the operator: an extra, a weight file or a name is missing
    ├── ClassifierFailed         the operator: a classifier was asked and gave no usable answer
    └── InputUnexaminable        whoever sent the prompt or the frames

A refusal is never one of these: it is a `safety.verdict.Verdict`. Each of these means that a gate
could not decide, so the caller must not release anything.
"""

from typing import ClassVar


class SafetyError(Exception):
    """A gate could not decide. Nothing that depends on the decision may be released."""

    code: ClassVar[str] = "safety_error"
    http_status: ClassVar[int] = 500


class PolicyInvalid(SafetyError):
    """The policy breaks a rule of its format. Whoever wrote the file can put it right."""

    code: ClassVar[str] = "policy_invalid"
    http_status: ClassVar[int] = 500


class ClassifierUnavailable(SafetyError):
    """A classifier that was asked for cannot be loaded. The operator can put it right."""

    code: ClassVar[str] = "classifier_unavailable"
    http_status: ClassVar[int] = 503


class ClassifierFailed(SafetyError):
    """A classifier raised, ran out of time, or answered something that is not a score."""

    code: ClassVar[str] = "classifier_failed"
    http_status: ClassVar[int] = 503


class InputUnexaminable(SafetyError):
    """The text or the frames cannot be examined as they are. The sender can change them."""

    code: ClassVar[str] = "input_unexaminable"
    http_status: ClassVar[int] = 422
