"""Everything in countermark.toml: the read side's tables, [safety] and [generator]."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from audit.settings import ReadSettings
from safety.settings import SafetySettings


class GeneratorSettings(BaseModel):
    """Which model makes clips."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "tiny"
    """An entry point of the group `countermark.models`."""
    model_folder: Path | None = None
    """The verified local folder of an operator's checkpoint (not for `tiny`)."""
    model_digest: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    """The root digest that the folder must have."""
    preset: str | None = None
    threads: int | None = Field(None, ge=1)


class Settings(ReadSettings):
    """Everything the write side can be told; an unknown table is refused."""

    model_config = SettingsConfigDict(extra="forbid")

    safety: SafetySettings = SafetySettings()
    generator: GeneratorSettings = GeneratorSettings()
