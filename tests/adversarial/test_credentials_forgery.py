"""Every way that a stranger can change a signed clip on its way, and what `examine` says then."""

from pathlib import Path

import pytest

from provenance.content_credentials import CredentialsState
from provenance.credentials import (
    Agreement,
    CredentialsEvidence,
    Integrity,
    Presence,
    TrustState,
    examine,
)
from provenance.timestamp import TimestampState
from provenance.trust import TrustLists
from tests.support import forgery, stores
from tests.support.drawing import drawn_video, video_with_sound
from tests.support.pki import Desk, impostor, opened, without_record

SECRET = b"this was not here when the clip was signed"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk.open(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def signed(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    target = folder / "signed.mp4"
    desk.sign(drawn_video(folder / "clip.mp4", 9, width=160, height=120), target)
    return target


@pytest.fixture(scope="module")
def sounding(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounding")
    target = folder / "signed.mp4"
    desk.sign(video_with_sound(folder / "clip.mp4"), target)
    return target


def examined(content: bytes, trust: TrustLists, folder: Path) -> CredentialsEvidence:
    path = folder / "examined.mp4"
    path.write_bytes(content)
    return examine(path, trust)


def is_caught(evidence: CredentialsEvidence) -> bool:
    return (
        evidence.presence is Presence.UNREADABLE or evidence.integrity is Integrity.BROKEN
    ) and bool(evidence.reasons)


def test_one_bit_anywhere_in_a_silent_clip_is_caught(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    flips = forgery.random_flips(signed.read_bytes(), 150, seed=20261122)

    missed = [
        (at, bit)
        for at, bit, changed in flips
        if not is_caught(examined(changed, desk.trust, tmp_path))
    ]

    assert missed == []


def test_one_bit_anywhere_in_a_clip_with_sound_is_caught(
    desk: Desk, sounding: Path, tmp_path: Path
) -> None:
    flips = forgery.random_flips(sounding.read_bytes(), 100, seed=7)

    missed = [
        (at, bit)
        for at, bit, changed in flips
        if not is_caught(examined(changed, desk.trust, tmp_path))
    ]

    assert missed == []


def test_every_byte_of_the_boxes_before_the_movie_is_guarded(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    content = signed.read_bytes()
    place = forgery.credentials_box_of(signed)
    # File type, the header of C2PA's box, the first descriptions; and the box after it.
    guarded = [*range(place.body + 130), *range(place.end, place.end + 8)]

    missed = [
        at
        for at in guarded
        if not is_caught(examined(forgery.flipped(content, at, at % 8), desk.trust, tmp_path))
    ]

    assert missed == []


def test_the_unsigned_header_is_guarded_without_any_trust_list(
    signed: Path, tmp_path: Path
) -> None:
    content = signed.read_bytes()
    evidence = examine(signed, TrustLists())
    header = next(r for r in evidence.unbound if "unsigned header" in r.what)

    missed = [
        at
        for at in range(header.start, header.end, 61)
        if not is_caught(examined(forgery.flipped(content, at, at % 8), TrustLists(), tmp_path))
    ]

    assert missed == []


def test_bytes_in_an_appended_free_box_break_the_promise_that_both_verifiers_miss(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    changed = forgery.with_appended_free_box(signed.read_bytes(), SECRET)

    evidence = examined(changed, desk.trust, tmp_path)

    assert evidence.first.state is evidence.second.state is CredentialsState.TRUSTED
    assert evidence.integrity is Integrity.BROKEN
    assert evidence.unbound[-1].what == "box free"


@pytest.mark.parametrize("purpose", [b"manifest", b"merkle", b"original", b"anything"])
def test_a_second_credentials_box_is_no_hiding_place(
    purpose: bytes, desk: Desk, signed: Path, tmp_path: Path
) -> None:
    changed = forgery.with_second_credentials_box(
        signed.read_bytes(), purpose=purpose, hidden=SECRET
    )

    assert is_caught(examined(changed, desk.trust, tmp_path))


def test_bytes_in_the_padding_of_the_signature_are_found(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    evidence = examined(forgery.hidden_in_padding(signed, SECRET), desk.trust, tmp_path)

    assert "the padding of the claim signature holds something" in evidence.reasons
    assert evidence.integrity is Integrity.BROKEN


def test_a_manifest_smuggled_into_the_padding_is_found(
    desk: Desk, signed: Path, sounding: Path, tmp_path: Path
) -> None:
    smuggled = forgery.small_manifest_of(sounding)
    changed = forgery.with_signature_map(signed, lambda encoded: encoded, smuggled=smuggled)

    evidence = examined(changed, desk.trust, tmp_path)

    assert evidence.integrity is Integrity.BROKEN
    assert any("nothing signed refers to it" in reason for reason in evidence.reasons)


@pytest.mark.parametrize("kind", [b"c2xx", b"c2db", b"json", b"c2ma"])
def test_a_box_after_the_manifest_does_not_take_its_place(
    desk: Desk, signed: Path, tmp_path: Path, kind: bytes
) -> None:
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(stores.with_last_child(signed, kind))
    hidden = forgery.with_appended_free_box(changed.read_bytes(), SECRET * 10)

    evidence = examined(hidden, desk.trust, tmp_path)

    assert evidence.integrity is Integrity.BROKEN


def test_a_time_stamp_that_was_taken_out_is_noticed(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    def without_timestamp(encoded: bytes) -> bytes:
        start = encoded.index(b"gsigTst2")
        return encoded[: start - 1] + b"\xa1" + encoded[encoded.index(b"cpad") :]

    changed = forgery.with_signature_map(signed, without_timestamp)

    evidence = examined(changed, desk.trust, tmp_path)

    assert evidence.coverage.timestamp.state is TimestampState.ABSENT
    assert evidence.integrity is Integrity.BROKEN


def test_the_time_stamp_of_another_claim_does_not_fit(
    desk: Desk, signed: Path, sounding: Path, tmp_path: Path
) -> None:
    def header(path: Path) -> bytes:
        store = forgery.store_of(path)
        return store[store.index(b"gsigTst2") : store.index(b"cpad")]

    def exchanged(encoded: bytes) -> bytes:
        start, end = encoded.index(b"gsigTst2"), encoded.index(b"cpad")
        return encoded[:start] + header(sounding) + encoded[end:]

    evidence = examined(forgery.with_signature_map(signed, exchanged), desk.trust, tmp_path)

    assert evidence.coverage.timestamp.state is TimestampState.INVALID
    assert evidence.integrity is Integrity.BROKEN


def test_a_manifest_in_a_renamed_box_is_not_called_absent(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    evidence = examined(forgery.renamed_credentials_box(signed), desk.trust, tmp_path)

    assert evidence.presence is Presence.UNREADABLE
    assert "where no reader looks" in " ".join(evidence.reasons)


def test_a_manifest_that_was_cut_out_is_absent(desk: Desk, signed: Path, tmp_path: Path) -> None:
    evidence = examined(forgery.without_credentials_box(signed), desk.trust, tmp_path)

    assert evidence.presence is Presence.ABSENT
    assert evidence.integrity is None


def test_the_manifest_of_one_clip_does_not_fit_another(
    desk: Desk, signed: Path, sounding: Path, tmp_path: Path
) -> None:
    here, there = forgery.credentials_box_of(signed), forgery.credentials_box_of(sounding)
    foreign = sounding.read_bytes()[there.start : there.end]
    content = signed.read_bytes()

    evidence = examined(content[: here.start] + foreign + content[here.end :], desk.trust, tmp_path)

    assert evidence.integrity is Integrity.BROKEN


def test_an_impostor_can_sign_and_is_not_trusted(desk: Desk, signed: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "clip.mp4", tmp_path / "forged.mp4"
    source.write_bytes(forgery.without_credentials_box(signed))
    desk.sign(source, target, signer=impostor(tmp_path).signer)

    evidence = examine(target, desk.trust)

    assert evidence.integrity is Integrity.HOLDS
    assert evidence.trust is TrustState.UNTRUSTED
    assert evidence.agreement is Agreement.AGREE


def test_a_step_changed_two_steps_back_is_not_laundered_by_signing_again(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    """A in B, a bit of A changed within B, and B the parent of C: c2pa-rs finds nothing in C."""
    clip = drawn_video(tmp_path / "clip.mp4", 9, width=160, height=120)
    second, changed, third = (tmp_path / f"{name}.mp4" for name in ("second", "changed", "third"))
    desk.sign_manifest(clip, second, without_record(opened()), parent=signed)
    changed.write_bytes(forgery.flipped_in_ancestor(second))
    desk.sign_manifest(clip, third, without_record(opened()), parent=changed)

    evidence = examine(third, desk.trust)

    assert evidence.first.state is evidence.second.state is CredentialsState.TRUSTED
    assert evidence.integrity is Integrity.BROKEN
    recorded = [reason for reason in evidence.reasons if "an earlier step" in reason]
    assert any("ingredient.manifest.mismatch" in reason for reason in recorded)
    assert any("is not the one whose digest was signed" in reason for reason in evidence.reasons)


def test_an_honest_history_of_three_steps_holds(desk: Desk, signed: Path, tmp_path: Path) -> None:
    clip = drawn_video(tmp_path / "clip.mp4", 9, width=160, height=120)
    desk.sign_manifest(clip, tmp_path / "second.mp4", without_record(opened()), parent=signed)
    desk.sign_manifest(
        clip, tmp_path / "third.mp4", without_record(opened()), parent=tmp_path / "second.mp4"
    )

    evidence = examine(tmp_path / "third.mp4", desk.trust)

    assert (evidence.integrity, evidence.trust) == (Integrity.HOLDS, TrustState.TRUSTED)
    assert len(evidence.coverage.history) == 2


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.95])
def test_a_truncated_clip_is_never_intact(
    cut: float, desk: Desk, signed: Path, tmp_path: Path
) -> None:
    content = signed.read_bytes()

    assert is_caught(examined(content[: int(len(content) * cut)], desk.trust, tmp_path))
