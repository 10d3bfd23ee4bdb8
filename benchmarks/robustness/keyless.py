"""What somebody can do to the mark who has marked clips and our source, and no key.

The band, the amplitudes, the mask, the code and the grid are public. Secret are the signs, which of
them show the grid, and where each clip's grid lies. An estimate is the mark's signs as some frames
show them: complex, one for each frequency of `band()`, (711,).
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.models.shipped import folder
from provenance.payload import CODED_BITS
from provenance.watermark import Picture
from provenance.watermark.canonical import (
    canonical_size,
    fold,
    luma,
    normalised,
    residual,
    spectrum_of,
    to_canonical,
    whiten,
)
from provenance.watermark.chips import TILE, amplitude, band
from provenance.watermark.perception import visibility_mask
from provenance.watermark.search import levelled
from tests.support import editing, reencode

AT = tuple(band().T)  # (vertical, horizontal) of each frequency
SYNC = len(AT[0]) - CODED_BITS // 2  # so many of them show the grid
QUARTER = TILE // 4  # a shift by this turns every sign by a multiple of 90 degrees
LOCAL_SIGMA = 16.0  # canonical pixels over which a mark is taken as equally strong
MOST_LOCAL = 4.0  # strength: no mark is stronger
CARE = 0.25  # half the range of the attacker's own dither, as in ours

Frames = Sequence[Picture]
Change = Callable[[Frames], Frames]
Place = tuple[int, int]  # (right, down), in canonical pixels
Complex = NDArray[np.complex64]
Float = NDArray[np.float32]


def estimated(frames: Frames) -> Complex:
    """Return what frames show at the mark's frequencies on average, of mean square 1."""
    total = np.sum([normalised(*residual(to_canonical(luma(each)))) for each in frames], axis=0)
    seen = levelled(spectrum_of(fold(whiten(np.asarray(total, np.float32))))[AT])
    return np.asarray(seen / np.sqrt(np.mean(np.abs(seen) ** 2)), np.complex64)


def laid_over(frames: Frames, signs: Complex, strength: float) -> Frames:
    """Return frames with a tile of these signs added (subtracted below 0) where the eye allows it.

    Args:
        frames: RGB.
        signs: of mean square 1, or 0 at frequencies to leave alone, (711,).
        strength: relative to what the eye allows.
    """
    plane = _plane(signs, frames[0]) * np.float32(strength)
    return [_changed(frame, plane) for frame in frames]


def taken_out(frames: Frames, signs: Complex, excess: float = 1.0) -> Frames:
    """Return frames less as much of a tile, place by place, as least squares find there.

    The key decides in which patches a mark is strong, and this needs no key to see it.

    Args:
        frames: RGB.
        signs: an estimate from them, (711,).
        excess: how many times what was found is subtracted.
    """
    plane = _plane(signs, frames[0])
    shown, expected = np.zeros_like(plane), np.zeros_like(plane)
    for frame in frames:
        grey = to_canonical(luma(frame))
        tile = plane * _allowed(grey, min(frame.shape[:2]))
        shown += residual(grey)[0] * tile
        expected += tile * tile
    near = [cv2.GaussianBlur(each, (0, 0), LOCAL_SIGMA) for each in (shown, expected)]
    strength = np.clip(near[0] / np.maximum(near[1], 1e-6), 0, MOST_LOCAL)
    return [_changed(frame, -plane * strength * np.float32(excess)) for frame in frames]


def _plane(signs: Complex, frame: Picture) -> Float:
    """Return the tile of these signs, all over the canonical grid of a frame."""
    height, width = frame.shape[:2]
    rows, columns = canonical_size(height, width)
    sizes = amplitude(band(), min(height, width))
    spectrum = np.zeros((TILE, TILE // 2 + 1), np.complex64)
    spectrum[AT] = signs * sizes
    # Signs of size 1 at all frequencies make a tile of standard deviation 1.
    tile = np.fft.irfft2(spectrum, (TILE, TILE)) * TILE**2 / np.sqrt(2 * np.sum(sizes**2))
    plane = np.tile(tile, (-(-rows // TILE), -(-columns // TILE)))[:rows, :columns]
    return np.asarray(plane, np.float32)


def _allowed(grey: Float, short_side: int) -> Float:
    """Return our mask, but for the patches, which take the key."""
    return visibility_mask(grey, residual(grey)[1], np.ones_like(grey), short_side)


def _changed(frame: Picture, plane: Float) -> Picture:
    height, width = frame.shape[:2]
    mask = _allowed(to_canonical(luma(frame)), min(height, width))
    change = cv2.resize(plane * mask, (width, height), interpolation=cv2.INTER_CUBIC)
    rounding = np.random.default_rng(0).uniform(-CARE, CARE, change.shape)
    return np.clip(frame + np.rint(change + rounding)[..., None], 0, 255).astype(np.uint8)


def moved(signs: Complex, place: Place) -> Complex:
    """Return signs with their grid moved (right, down), in canonical pixels."""
    right, down = place
    turns = (AT[0] * down + AT[1] * right) / TILE
    return np.asarray(signs * np.exp(-2j * np.pi * turns), np.complex64)


def moved_onto(signs: Complex, reference: Complex) -> Complex:
    """Return signs with their grid moved to where they fit a reference best."""
    return moved(signs, _best_fit(signs, reference)[1])


def _best_fit(signs: Complex, reference: Complex) -> tuple[float, Place]:
    """Return how well signs fit a reference where they fit best, and the move that brings them."""
    plane = np.zeros((TILE, TILE // 2 + 1), np.complex64)
    plane[AT] = reference * np.conj(signs)
    fit = np.fft.irfft2(plane, (TILE, TILE))
    down, right = divmod(int(fit.argmax()), TILE)
    return float(fit.max()), (right, down)


def alignment(crowd: Sequence[Complex]) -> list[Place]:
    """Return the moves that bring estimates onto one grid: the one that fits best joins next.

    Then each is fitted once more to the sum of the others.
    """
    placed, waiting = {0: crowd[0]}, set(range(1, len(crowd)))
    while waiting:
        total = np.sum(list(placed.values()), axis=0)
        fits = {index: _best_fit(crowd[index], total) for index in waiting}
        best = max(fits, key=lambda index: fits[index][0])
        placed[best] = moved(crowd[best], fits[best][1])
        waiting.remove(best)
    total = np.sum(list(placed.values()), axis=0)
    # One alone has nothing to be fitted to, and stays.
    return [_best_fit(signs, total - placed[index])[1] for index, signs in enumerate(crowd)]


def aligned(crowd: Sequence[Complex]) -> list[Complex]:
    """Return estimates, all moved onto one grid."""
    return [moved(*each) for each in zip(crowd, alignment(crowd), strict=True)]


def squared_up(crowd: Sequence[Complex]) -> list[Complex]:
    """Return aligned estimates with their grid where signs are +-1 +-1j, up to quarters of a tile.

    The fourth power of such a number is the same whatever its signs are.
    """
    fourth = np.sum(
        [(each / np.maximum(np.abs(each), 1e-9)) ** 4 * np.abs(each) ** 2 for each in crowd], axis=0
    )
    scores = {
        (right, down): -float(np.sum(fourth * moved(np.ones(len(fourth)), (right, down)) ** 4).real)
        for right in range(QUARTER)
        for down in range(QUARTER)
    }
    place = max(scores, key=lambda each: scores[each])
    return [moved(each, place) for each in crowd]


def shared_part(crowd: Sequence[Complex]) -> Complex:
    """Return the signs that aligned estimates share, of mean square 1 there and 0 elsewhere."""
    total = np.sum(crowd, axis=0)
    shared = np.abs(total) >= np.sort(np.abs(total))[-SYNC]
    size = np.sqrt(np.mean(np.abs(total[shared]) ** 2))
    return np.asarray(np.where(shared, total, 0) / size, np.complex64)


def product_of(three: Sequence[Complex]) -> Complex:
    """Return the product of three estimates' signs: of three code words, a fourth.

    The key's own sign is in each of them, so it is in the product; the code is linear.
    """
    signs = np.prod([[np.sign(each.real), np.sign(each.imag)] for each in three], axis=0)
    return _as_signs(signs[0], signs[1])


def learned(crowd: Sequence[Complex], words: Float, word: Float) -> Complex:
    """Return the signs of another code word, from estimates whose words are known.

    Each sign is taken to follow the coded bit that it went along with most closely over the crowd,
    or none, as those that show the grid do.

    Args:
        crowd: estimates on one grid, squared up.
        words: their coded bits as signs, (clips, 1024).
        word: the wanted one, (1024,).
    """
    stack = np.stack(crowd)
    always = np.ones((len(words), 1), np.float32)
    along = np.hstack([stack.real, stack.imag]).T @ np.hstack([words, always])  # (1422, 1025)
    bit = np.abs(along).argmax(axis=1)
    signs = np.sign(along[np.arange(len(along)), bit]) * np.append(word, 1)[bit]
    return _as_signs(*np.split(signs, 2))


def _as_signs(real: NDArray[np.floating], imaginary: NDArray[np.floating]) -> Complex:
    return np.asarray((real + 1j * imaginary) / np.sqrt(2), np.complex64)


def _shrunk(share: float) -> Change:
    def change(frames: Frames) -> Frames:
        height, width = frames[0].shape[:2]
        small = reencode.resize(frames, width=share, height=share)
        return editing.at_size(small, width=width, height=height)

    return change


def _smoothed(sigma: float) -> Change:
    """Filter each frame (bilateral), then take the median of five frames that follow each other."""

    def change(frames: Frames) -> Frames:
        smooth = [cv2.bilateralFilter(frame, 9, sigma, 5) for frame in frames]
        around = [smooth[max(0, t - 2) : t + 3] for t in range(len(smooth))]
        return [np.median(near, axis=0).astype(np.uint8) for near in around]

    return change


def _denoised(strength: float) -> Change:
    return lambda frames: [
        np.asarray(cv2.fastNlMeansDenoisingColored(each, None, strength, strength, 7, 15), np.uint8)
        for each in frames
    ]


def _low_rate(crf: float) -> Change:
    return lambda frames: reencode.h264(frames, crf=int(crf))


def autoencoded(rounds: int) -> Change:
    """Through the autoencoder of countermark-tiny and back, so many times."""
    import torch  # noqa: PLC0415 - it takes 20 s
    from diffusers import AutoencoderKLWan  # noqa: PLC0415 - as above

    vae = AutoencoderKLWan.from_pretrained(str(folder() / "vae"), local_files_only=True)

    def change(frames: Frames) -> Frames:
        video = torch.from_numpy(np.stack(frames)).permute(3, 0, 1, 2)[None] / 127.5 - 1
        with torch.inference_mode():
            for _ in range(rounds):
                video = vae.decode(vae.encode(video).latent_dist.mode()).sample.clamp(-1, 1)
        pixels = ((video[0].permute(1, 2, 3, 0) + 1) * 127.5).round().to(torch.uint8)
        return list(pixels.numpy())

    return change


SWEEPS: Mapping[str, tuple[Sequence[float], Callable[[float], Change]]] = {
    "size, and back": ((0.25, 0.15, 0.1), _shrunk),
    "h264 crf": ((31, 34, 40), _low_rate),
    "bilateral sigma, median of 5 frames": ((20, 80), _smoothed),
    "non-local means h": ((5, 8), _denoised),
}
