"""Bodies of requests: the bytes of one file, sent as they are or as a browser's form sends them.

    curl --data-binary @clip.mp4 …      the body is the file
    curl -F file=@clip.mp4 …            the file is the one part of a form (RFC 7578)

Both are read as they arrive, and nothing of them is kept here.
"""

from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from audit.errors import UploadMalformed

_ADVICE = "send the bytes of one file, with curl: -F file=@clip.mp4 or --data-binary @clip.mp4"


class Body(Protocol):
    """Takes the file's bytes out of a body."""

    def feed(self, chunk: bytes) -> bytes:
        """Return what of the file this chunk holds.

        Raises:
            UploadMalformed: it cannot be one file.
        """

    def finish(self) -> None:
        """Go on only if the body held one whole file.

        Raises:
            UploadMalformed: it did not.
        """


def body_of(content_type: str | None) -> Body:
    """Return how to read a body of this type: every type but a form's is a file as it is.

    Raises:
        UploadMalformed: a form without a boundary that can be used.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        return RawBody()
    try:
        return FormBody(options[b"boundary"])
    except (KeyError, FormParserError) as error:
        raise UploadMalformed(f"the form's type names no usable boundary; {_ADVICE}") from error


class RawBody:
    """The body is the file."""

    def __init__(self) -> None:
        self._is_empty = True

    def feed(self, chunk: bytes) -> bytes:
        """Return the chunk."""
        self._is_empty = self._is_empty and not chunk
        return chunk

    def finish(self) -> None:
        """Refuse a body of no bytes: whoever sent it forgot the file."""
        if self._is_empty:
            raise UploadMalformed(f"the request has no body; {_ADVICE}")


class FormBody:
    """The body is a form with one part, which is a file."""

    def __init__(self, boundary: bytes) -> None:
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._value,
                "on_header_end": self._header,
                "on_headers_finished": self._headers,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )
        self._parts = 0
        self._name, self._content = b"", b""  # of the header being read; the parser bounds them
        self._is_file = self._has_ended = False
        self._found: list[bytes] = []

    def feed(self, chunk: bytes) -> bytes:
        """Return what of the file this chunk holds."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise UploadMalformed(f"the form cannot be read ({error}); {_ADVICE}") from error
        found, self._found = b"".join(self._found), []
        return found

    def finish(self) -> None:
        """Refuse a form that broke off, or that held no part."""
        if not self._has_ended or not self._parts:
            raise UploadMalformed(f"the form ends before its file does; {_ADVICE}")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise UploadMalformed(f"the form has more than one part; {_ADVICE}")

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _header(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._content.decode("latin-1"))
            self._is_file = b"filename" in options
        self._name, self._content = b"", b""

    def _headers(self) -> None:
        if not self._is_file:
            raise UploadMalformed(f"the form's part is a text and no file; {_ADVICE}")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._found.append(data[start:end])

    def _end(self) -> None:
        self._has_ended = True
