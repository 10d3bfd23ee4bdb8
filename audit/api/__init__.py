"""The read side over HTTP: verification and the log. Open `app.py` first."""

from audit.api.app import create_app

__all__ = ["create_app"]
