"""What the read side takes from countermark.toml: the [provenance] and [audit] tables.

The environment overrides the file: `COUNTERMARK_AUDIT__TENANT=desk` is `tenant` in [audit]. The
write side's tables stand in the same file and are read by `generator.settings` alone.
"""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from audit.errors import HomeUnusable
from provenance.sandbox import Confinement
from provenance.settings import ProvenanceSettings

ORIGIN_PART = (
    r"^[a-z0-9][a-z0-9.-]{0,62}$"  # an origin is <deployment>/<tenant>, without '+' or space
)


class AuditSettings(BaseModel):
    """Where the ledger lives, what it is called, and what the endpoint takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: str = Field("countermark.local", pattern=ORIGIN_PART)
    tenant: str = Field("main", pattern=ORIGIN_PART)
    database: str = "sqlite:///ledger.db"
    """An SQLAlchemy address; a relative SQLite path lies in the home folder."""
    host: str = "127.0.0.1"
    port: int = Field(8088, ge=1, le=65535)
    max_upload_mib: int = Field(512, ge=1)
    """Of one file that is sent to be verified."""
    max_uploads: int = Field(4, ge=1)
    """Files in the house at once: arriving, waiting or being examined. More are asked to wait."""
    max_uploads_mib: int = Field(1024, ge=1)
    """All of them together: what strangers may fill of the disk."""
    upload_examination_seconds: int = Field(120, ge=1)
    """Instead of provenance.examination_seconds, where that is longer: others are waiting."""
    upload_confinement: Confinement = Confinement.REQUIRED
    """`required` answers 503 where the kernel cannot take every right away from the process that
    examines strangers' files; `possible` examines, and the answer's gaps say what it kept."""

    @property
    def origin(self) -> str:
        """The log's name in its checkpoints."""
        return f"{self.deployment}/{self.tenant}"


class ReadSettings(BaseSettings):
    """Everything the read side can be told."""

    model_config = SettingsConfigDict(
        env_prefix="COUNTERMARK_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    provenance: ProvenanceSettings = ProvenanceSettings()
    audit: AuditSettings = AuditSettings()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read one TOML file (which may be absent) under the environment.

        Raises:
            HomeUnusable: a key that is no setting, or a value outside its range.
        """

        class Located(cls):  # type: ignore[misc,valid-type]  # binds the file's place to the class
            @classmethod
            def settings_customise_sources(
                cls,
                settings_cls: type[BaseSettings],
                init_settings: PydanticBaseSettingsSource,
                env_settings: PydanticBaseSettingsSource,
                dotenv_settings: PydanticBaseSettingsSource,
                file_secret_settings: PydanticBaseSettingsSource,
            ) -> tuple[PydanticBaseSettingsSource, ...]:
                del init_settings, dotenv_settings, file_secret_settings
                return env_settings, TomlConfigSettingsSource(settings_cls, toml_file=path)

        try:
            return Located()
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise HomeUnusable(
                f"{path}: {key}: {first['msg']}; "
                "countermark.example.toml names every setting and its range"
            ) from error
        except ValueError as error:
            raise HomeUnusable(f"{path} is not valid TOML ({error}); correct it") from error
