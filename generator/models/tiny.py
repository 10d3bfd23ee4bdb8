"""The embedded default: a small model that is shipped with the package.

countermark-tiny was trained by this project on clips that it draws (training/tiny). It runs the
classes of Wan2.2 through `generator.models.wan`, and it is not Wan2.2: no output may call it so.
"""

from generator.errors import ModelUnavailable
from generator.models import ModelSettings
from generator.models.shipped import DIGEST, folder
from generator.models.wan import WanModel, load
from generator.presets import tiny

__all__ = ["DIGEST", "folder", "open_model"]


def open_model(settings: ModelSettings) -> WanModel:
    """Open the shipped model.

    Raises:
        ModelUnavailable: the settings name another folder or thread count, or a shipped file was
            changed.
    """
    if settings.folder is not None:
        raise ModelUnavailable(
            "the model `tiny` is shipped with the package and takes no `model_folder`; "
            "use the model `wan` for yours"
        )
    if settings.threads is not None:
        raise ModelUnavailable(
            f"the model `tiny` always runs with {tiny().threads} thread(s), so that a seed gives "
            "the same frames everywhere; take `threads` out of [generator]"
        )
    return load(folder(), tiny(), digest=DIGEST)
