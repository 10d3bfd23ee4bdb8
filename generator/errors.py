"""What can go wrong on the write side. A refusal is not here: it is an `Outcome`.

GenerationError
├── RequestInvalid      a request outside the limits               the caller
├── ModelUnavailable    missing, corrupt or unpinned weights       the operator
├── GenerationFailed    the model gave nothing usable              the operator
├── Cancelled           somebody asked us to stop                  nobody
├── PublishFailed       the released file could not be put down    the operator
└── ExtraMissing        a part of the installation is not there    the operator
"""

from typing import ClassVar


class GenerationError(Exception):
    """Root of everything this package raises."""

    code: ClassVar[str] = "generation_error"
    http_status: ClassVar[int] = 500


class RequestInvalid(GenerationError):
    """The request lies outside what the model or the limits take."""

    code = "request_invalid"
    http_status = 422


class ModelUnavailable(GenerationError):
    """The weights are missing, corrupt, of a refused kind or not the pinned ones."""

    code = "model_unavailable"
    http_status = 503


class GenerationFailed(GenerationError):
    """The model ran and gave nothing usable."""

    code = "generation_failed"


class Cancelled(GenerationError):
    """The run was asked to stop and did."""

    code = "cancelled"
    http_status = 409


class PublishFailed(GenerationError):
    """The released file could not be put in its public place."""

    code = "publish_failed"
    http_status = 507


class ExtraMissing(GenerationError):
    """The command needs a part of the installation that is not there."""

    code = "extra_missing"
    http_status = 501
