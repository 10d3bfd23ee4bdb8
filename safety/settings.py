"""The `[safety]` table of the configuration file."""

from pydantic import BaseModel, ConfigDict, Field


class SafetySettings(BaseModel):
    """Which policy holds and which classifiers may be loaded.

    No field turns a gate off: the policy names the classifiers that each stage requires, and a gate
    whose classifier is not listed here refuses to open.

    Attributes:
        policy: the name of a shipped policy (`default`, `permissive`, `strict`) or the path of a
            TOML file.
        prompt_classifiers: entry points of `countermark.prompt_classifiers` to load. Third-party
            code runs only when it is listed.
        frame_classifiers: entry points of `countermark.frame_classifiers` to load.
        threads: the most threads that one classifier may use.
        classifier_deadline_s: how long one call of a classifier may take before the gate gives up
            and fails closed, in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str = Field(default="default", min_length=1)
    prompt_classifiers: tuple[str, ...] = Field(default=("lexicon", "minilm"), min_length=1)
    frame_classifiers: tuple[str, ...] = Field(default=("opennsfw",), min_length=1)
    threads: int = Field(default=1, ge=1, le=64)
    classifier_deadline_s: float = Field(default=30.0, gt=0, le=600)
