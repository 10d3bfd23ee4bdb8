"""Other people's marks on the same clips and attacks: what else can be installed and run today.

Both packages ask for opencv-python, which overwrites the headless build that countermark needs, so
they are installed without what they ask for:

    pip install --no-deps invisible-watermark==0.2.0 blind-watermark==0.4.4 PyWavelets
    pip install torch onnxruntime          (both come with countermark's extra `generate`)

They mark single pictures. A clip's frames are marked one by one, with the same bits; the payload
read is the majority over the frames, bit by bit. They are slow, so each gets only the first so many
frames of a clip (`frames`); an encoder sees a short clip, which spares the peers long groups of
predicted frames.
"""

import multiprocessing
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

INSTALL = "pip install --no-deps invisible-watermark==0.2.0 blind-watermark==0.4.4 PyWavelets"
MODULES = ("blind_watermark", "imwatermark", "pywt", "torch", "onnxruntime")
FRAMES = {"dwtDct": 11, "dwtDctSvd": 11, "blind-watermark": 5, "rivaGan": 3}  # that each is given
SMALLEST_AREA = 256 * 256  # pixels: below it invisible-watermark refuses a picture

Picture = NDArray[np.uint8]
Bits = NDArray[np.uint8]


class PeersMissing(Exception):
    """A package is not installed; the message says how it is."""


class Peer(Protocol):
    """One way to mark a picture with some bits."""

    name: str
    bits: int
    frames: int  # of a clip that are marked and read

    def embed(self, picture: Picture, bits: Bits) -> Picture:
        """Return the RGB picture (height, width, 3) with the bits in it."""

    def read(self, picture: Picture) -> Bits:
        """Return the bits that a picture seems to carry."""


def require(needed: Sequence[str] = MODULES) -> None:
    """Look whether everything is installed, without importing it.

    Raises:
        PeersMissing: when a module is not there.
    """
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise PeersMissing(
            f"the comparison with other marks needs the module(s) {', '.join(missing)}; install "
            f"them with `{INSTALL}` and countermark's extra `generate`, or leave the other marks "
            "out with --no-peers"
        )


def open_peer(name: str) -> Peer:
    """Return the peer of a name in `FRAMES`."""
    if name == "blind-watermark":
        return _Blind(_blind_watermark().WaterMark, name, bits=64, frames=FRAMES[name])
    return _Invisible(import_module("imwatermark"), name, bits=32, frames=FRAMES[name])


def _blind_watermark() -> Any:  # noqa: ANN401 - a module
    """Import blind-watermark, which wants to decide how processes are started, and not let it."""
    wanted = multiprocessing.set_start_method
    multiprocessing.set_start_method = lambda *_, **__: None  # type: ignore[assignment]
    try:
        module = import_module("blind_watermark")
    finally:
        multiprocessing.set_start_method = wanted
    module.bw_notes.close()  # its banner
    return module


def majority(peer: Peer, frames: Sequence[Picture]) -> Bits:
    """Return the bits that most of the frames say, of as many as the peer is given."""
    seen = [peer.read(frame) for frame in spread(frames, peer.frames)]
    return np.asarray(np.mean(seen, axis=0) > 0.5, np.uint8)


def spread(frames: Sequence[Picture], count: int) -> list[Picture]:
    """Return up to so many frames, evenly spread over the clip: an odd number has no tie."""
    most = min(count, len(frames))
    picked = np.linspace(0, len(frames) - 1, most - 1 + most % 2).round().astype(int)
    return [frames[index] for index in picked]


@dataclass(frozen=True, slots=True)
class _Installed:
    """What is known of a peer, and the package that does its work."""

    package: Any
    name: str
    bits: int
    frames: int


class _Invisible(_Installed):
    """invisible-watermark; it works on BGR and needs a side of 256 pixels."""

    def embed(self, picture: Picture, bits: Bits) -> Picture:
        encoder = self.package.WatermarkEncoder()
        encoder.set_watermark("bits", [int(bit) for bit in bits])
        if self.name == "rivaGan":
            encoder.loadModel()
        return _rgb(encoder.encode(_bgr(picture), self.name))

    def read(self, picture: Picture) -> Bits:
        decoder = self.package.WatermarkDecoder("bits", self.bits)
        if self.name == "rivaGan":
            decoder.loadModel()
        if picture.shape[0] * picture.shape[1] < SMALLEST_AREA:
            # It refuses small pictures; what it could read is given back to it in a size it takes.
            share = (SMALLEST_AREA / (picture.shape[0] * picture.shape[1])) ** 0.5 * 1.01
            picture = np.asarray(cv2.resize(picture, None, fx=share, fy=share), np.uint8)
        return np.asarray(decoder.decode(_bgr(picture), self.name), np.uint8)


class _Blind(_Installed):
    """blind-watermark, with its own defaults."""

    def embed(self, picture: Picture, bits: Bits) -> Picture:
        marker = self.package(password_img=1, password_wm=1)
        marker.read_img(img=_bgr(picture))
        marker.read_wm([bool(bit) for bit in bits], mode="bit")
        return _rgb(np.clip(np.rint(marker.embed()), 0, 255).astype(np.uint8))

    def read(self, picture: Picture) -> Bits:
        marker = self.package(password_img=1, password_wm=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # it divides by the spread of its bits
            found = marker.extract(embed_img=_bgr(picture), wm_shape=self.bits, mode="bit")
        return np.asarray(np.nan_to_num(found) > 0.5, np.uint8)


def _bgr(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[..., ::-1])


def _rgb(picture: NDArray[np.generic]) -> Picture:
    return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)
