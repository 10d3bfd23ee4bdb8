"""The embedded default: a small model that is shipped with the package.

countermark-tiny was trained by this project on clips that it draws (training/tiny). It runs the
classes of Wan2.2 through `generator.models.wan`, and it is not Wan2.2: no output may call it so.
"""

from pathlib import Path

from generator.errors import ModelUnavailable
from generator.models import ModelSettings
from generator.models.wan import WanModel, load
from generator.presets import tiny

# Root digest of tiny_weights/. It stands in the code, so that the weights cannot change without it.
DIGEST = "0a09ec11d7a8ff6dc2c80026321bb4acf46b6e95452b47d25ffa273900bc581d"


def folder() -> Path:
    """Return where the shipped weights lie."""
    return Path(__file__).parent / "tiny_weights"


def open_model(settings: ModelSettings) -> WanModel:
    """Open the shipped model.

    Raises:
        ModelUnavailable: the settings name another folder, or a shipped file was changed.
    """
    if settings.folder is not None:
        raise ModelUnavailable(
            "the model `tiny` is shipped with the package and takes no `folder`; "
            "use the model `wan` for yours"
        )
    return load(folder(), tiny(), digest=DIGEST, threads=settings.threads)
