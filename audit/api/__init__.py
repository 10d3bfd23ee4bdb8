"""The read side over HTTP: verification and the log. Open `app.py` first."""

from audit.api.access import opens_something
from audit.api.app import create_app
from audit.api.upload_folder import system_uploads

__all__ = ["create_app", "opens_something", "system_uploads"]
