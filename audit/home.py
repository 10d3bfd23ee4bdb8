"""The folder of configuration, keys, database and clips: what lies where in it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from audit.errors import HomeUnusable

PRIVATE_FOLDER_MODE = 0o700
_MARK_KEY = re.compile(r"mark-([1-9][0-9]{0,5})\.key")


@dataclass(frozen=True, slots=True)
class Home:
    """Names every path below one `COUNTERMARK_HOME`."""

    path: Path

    @property
    def settings(self) -> Path:
        """The configuration."""
        return self.path / "countermark.toml"

    @property
    def keys(self) -> Path:
        """Secrets and certificates, each in its own file."""
        return self.path / "keys"

    @property
    def clips(self) -> Path:
        """Released clips."""
        return self.path / "clips"

    @property
    def private(self) -> Path:
        """Working copies and clips that are not released yet; recovery empties it."""
        return self.path / "private"

    @property
    def uploads(self) -> Path:
        """Files that somebody sent to be verified, while they are examined."""
        return self.path / "uploads"

    @property
    def held(self) -> Path:
        """Encrypted clips that wait for a reviewer."""
        return self.path / "held"

    @property
    def mark_keys(self) -> tuple[Path, ...]:
        """The watermark's secrets that are here, by their numbers, the newest first."""
        numbered = {
            int(found[1]): path
            for path in self.keys.glob("mark-*.key")
            if (found := _MARK_KEY.fullmatch(path.name))
        }
        return tuple(numbered[number] for number in sorted(numbered, reverse=True))

    @property
    def mark_key(self) -> Path:
        """The secret that marks: the newest, or where there is none the place of the first."""
        return next(iter(self.mark_keys), self.keys / "mark-1.key")

    def mark_key_after(self, known: int) -> Path:
        """Return the place of the next secret of the watermark.

        Args:
            known: how many the log knows of. One that was taken away keeps its number, or a
                restored copy of it would meet another key under its name.
        """
        found = _MARK_KEY.fullmatch(self.mark_key.name)
        newest = int(found[1]) if found and self.mark_keys else 0
        return self.keys / f"mark-{max(known, newest) + 1}.key"

    @property
    def log_key(self) -> Path:
        """The key that signs the log's checkpoints."""
        return self.keys / "log.key"

    @property
    def log_vkey(self) -> Path:
        """The log's public key, as text: enough to check everything it ever signed."""
        return self.keys / "log.vkey"

    @property
    def log_signed(self) -> Path:
        """The newest checkpoint that was signed here: a small witness beside the key."""
        return self.keys / "log.signed"

    @property
    def sealing_key(self) -> Path:
        """Wraps the keys of sealed prompts; kept out of backups, or a restore undoes an erasure."""
        return self.keys / "sealing.key"

    @property
    def root_certificate(self) -> Path:
        """The root of our claim signatures."""
        return self.keys / "root.pem"

    @property
    def timestamp_root(self) -> Path:
        """The root of our time-stamp authority."""
        return self.keys / "tsa-root.pem"

    @property
    def exists(self) -> bool:
        """Whether `countermark init` has finished here: the log's public key comes last.

        So a copy of the settings, the database and that key, without any secret, is a home too, for
        whoever checks the log.
        """
        return self.settings.is_file() and self.log_vkey.is_file()

    def database(self, address: str) -> str:
        """Return an SQLAlchemy address with a relative SQLite path placed in the home."""
        prefix = "sqlite:///"
        if address.startswith(prefix) and not address.startswith(prefix + "/"):
            return prefix + str(self.path.resolve() / address.removeprefix(prefix))
        return address

    def required(self) -> "Home":
        """Return the home itself where it is set up.

        Raises:
            HomeUnusable: nothing is set up here.
        """
        if not self.exists:
            raise HomeUnusable(
                f"{self.path} is not set up; run `countermark init` (or name another folder "
                "with --home or COUNTERMARK_HOME)"
            )
        return self

    def make_folders(self) -> None:
        """Create the folders that hold what nobody else may see, mode 0700, where they are missing.

        A home that was restored from a backup lacks those that no backup holds.

        Raises:
            HomeUnusable: the folder cannot be created.
        """
        try:
            for folder in (self.path, self.keys, self.clips, self.private, self.held):
                folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise HomeUnusable(
                f"{self.path} cannot be created ({error.strerror}); choose another with --home"
            ) from error


def find_home(given: Path | None) -> Home:
    """Return the home that --home, COUNTERMARK_HOME or the user's data folder names."""
    if given is not None:
        return Home(given)
    named = os.environ.get("COUNTERMARK_HOME")
    return Home(Path(named) if named else Path(platformdirs.user_data_dir("countermark")))
