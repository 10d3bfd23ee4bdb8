"""Which bytes nothing protects: in our clips, in strangers', and in files made to mislead."""

from pathlib import Path

import pytest

from provenance.content_credentials import CredentialsState
from provenance.coverage import MAX_RANGES, CoverageState, examine, unbound_digest
from provenance.credentials import Integrity, Presence, TrustState
from provenance.credentials import examine as examine_credentials
from provenance.errors import UnreadableMedia
from provenance.manifest_store import inspect
from tests.support import forgery
from tests.support.drawing import drawn_video
from tests.support.pki import Desk, without_record


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk.open(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_video(tmp_path_factory.mktemp("clip") / "clip.mp4", 5, width=160, height=120)


@pytest.fixture(scope="module")
def signed(desk: Desk, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("signed") / "signed.mp4"
    desk.sign(clip, target)
    return target


@pytest.fixture(scope="module")
def strangers(desk: Desk, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip whose manifest says nothing of countermark, and so promises nothing."""
    target = tmp_path_factory.mktemp("stranger") / "signed.mp4"
    desk.sign_manifest(clip, target, without_record())
    return target


def changed(content: bytes, folder: Path) -> Path:
    path = folder / "changed.mp4"
    path.write_bytes(content)
    return path


def test_a_signed_clip_names_its_open_ranges_and_violates_nothing(signed: Path) -> None:
    found = examine(signed, timestamp_roots=())

    assert found.state is CoverageState.CHECKED
    assert found.promised
    assert found.violations == ()
    assert {r.what for r in found.unbound} <= {
        "box ftyp",
        "box free",
        "header of the manifest store's box",
        "unsigned header of the claim signature: time-stamp and padding",
    }


def test_the_open_ranges_lie_where_they_are_said_to(signed: Path) -> None:
    content = signed.read_bytes()
    found = {r.what: content[r.start : r.end] for r in examine(signed, timestamp_roots=()).unbound}

    assert found["box ftyp"][4:8] == b"ftyp"
    assert found["header of the manifest store's box"][4:8] == b"uuid"
    header = found["unsigned header of the claim signature: time-stamp and padding"]
    assert header.startswith(b"\xa2gsigTst2")
    assert header.endswith(b"\0\xf6")


def test_every_other_byte_is_bound_by_the_file_hash_or_the_claim(signed: Path) -> None:
    store = forgery.store_of(signed)

    found = inspect(store, timestamp_roots=())

    assert [r.what for r in found.unbound] == [
        "unsigned header of the claim signature: time-stamp and padding"
    ]
    assert (found.violations, found.deviations) == ((), ())


def test_an_empty_free_box_of_a_stranger_is_named_and_no_more(strangers: Path) -> None:
    found = examine(strangers, timestamp_roots=())

    assert not found.promised
    assert found.violations == ()
    assert found.remarks == ()


def test_hidden_bytes_of_a_stranger_are_told_and_break_nothing(
    desk: Desk, strangers: Path, tmp_path: Path
) -> None:
    path = changed(forgery.with_appended_free_box(strangers.read_bytes(), b"secret"), tmp_path)

    evidence = examine_credentials(path, desk.trust)

    assert evidence.integrity is Integrity.HOLDS
    assert evidence.trust is TrustState.TRUSTED
    assert evidence.reasons == ("6 bytes in a box 'free' that no signature protects",)


def test_bytes_in_the_padding_of_a_stranger_break_even_that(
    desk: Desk, strangers: Path, tmp_path: Path
) -> None:
    path = changed(forgery.hidden_in_padding(strangers, b"secret"), tmp_path)

    assert examine_credentials(path, desk.trust).integrity is Integrity.BROKEN


def test_a_smuggled_manifest_of_a_stranger_breaks_even_that(
    desk: Desk, signed: Path, strangers: Path, tmp_path: Path
) -> None:
    smuggled = forgery.small_manifest_of(signed)
    content = forgery.with_signature_map(strangers, lambda encoded: encoded, smuggled=smuggled)

    evidence = examine_credentials(changed(content, tmp_path), desk.trust)

    assert evidence.integrity is Integrity.BROKEN


def test_bytes_after_the_store_are_found(signed: Path) -> None:
    store = forgery.store_of(signed)

    padded = inspect(store + bytes(64), timestamp_roots=())
    hiding = inspect(store + b"secret", timestamp_roots=())

    assert padded.violations == ()
    assert padded.deviations == ("there is padding after the manifest store",)
    assert "the padding after the manifest store holds something" in hiding.violations


def test_the_digest_of_the_boxes_outside_the_hash_sees_each_of_them_and_its_place(
    clip: Path, tmp_path: Path
) -> None:
    content = clip.read_bytes()
    ftyp, free, mdat, moov = (content[box.start : box.end] for box in forgery.boxes_of(clip))
    digests = {
        unbound_digest(changed(variant, tmp_path))
        for variant in (
            content,
            forgery.with_appended_free_box(content, b""),
            forgery.with_appended_free_box(content, b"x"),
            forgery.flipped(content, 9, 0),  # in the brand of ftyp
            content + forgery.box(b"skip", b""),
            content + forgery.box(b"mfra", b""),
            content + forgery.box(b"uuid", b"something that the hash covers"),
            ftyp + mdat + free + moov,
            ftyp + mdat + moov + free,
        )
    }

    assert len(digests) == 9


def test_a_box_cannot_be_cut_in_two_or_pass_for_the_mark_of_another(
    clip: Path, tmp_path: Path
) -> None:
    content = clip.read_bytes()
    one = forgery.box(b"free", forgery.box(b"free", b""))
    two = forgery.box(b"free", b"") + forgery.box(b"free", b"")
    hashed = forgery.box(b"abcd", b"")

    digests = {
        unbound_digest(changed(content + tail, tmp_path)) for tail in (one, two, hashed, hashed * 2)
    }

    assert len(digests) == 4


def test_the_empty_box_moved_before_the_credentials_breaks_the_promise(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    """No byte and no offset of the movie changes: both verifiers trust it."""
    evidence = examine_credentials(
        changed(forgery.with_free_box_first(signed), tmp_path), desk.trust
    )

    assert evidence.first.state is evidence.second.state is CredentialsState.TRUSTED
    assert evidence.integrity is Integrity.BROKEN
    assert "or not there" in evidence.reasons[0]


def test_a_bit_in_a_strangers_time_stamp_breaks_the_file_and_is_not_blamed_on_the_signer(
    desk: Desk, strangers: Path, tmp_path: Path
) -> None:
    content = strangers.read_bytes()
    start = content.index(b"gsigTst2")
    token = content.index(b"cval", start) + 7
    evidence = {
        at: examine_credentials(changed(forgery.flipped(content, at, at % 8), tmp_path), desk.trust)
        for at in range(token, content.index(b"cpad", start), 37)
    }

    whole = [at for at, found in evidence.items() if found.integrity is Integrity.HOLDS]
    blamed = [at for at, found in evidence.items() if found.trust is TrustState.WRONG_USAGE]

    assert len(evidence) > 20
    assert (whole, blamed) == ([], [])


def test_a_file_that_is_no_movie_is_not_checked(tmp_path: Path) -> None:
    found = examine(changed(b"\xff\xd8\xff\xe0" + bytes(100), tmp_path), timestamp_roots=())

    assert found.state is CoverageState.NOT_CHECKED
    assert found.reason is not None


@pytest.mark.parametrize(
    "tail",
    [b"\0\0\0", b"\0\0\0\x07free", b"\xff\xff\xff\xfffree", b"\0\0\0\1free\0\0\0\0\0\0\0\x08"],
    ids=["too short", "size below the header", "size beyond the end", "large size below it"],
)
def test_sizes_that_do_not_fit_are_not_believed(
    tail: bytes, desk: Desk, signed: Path, tmp_path: Path
) -> None:
    path = changed(signed.read_bytes() + tail, tmp_path)

    evidence = examine_credentials(path, desk.trust)

    assert evidence.coverage.state is CoverageState.UNREADABLE
    assert evidence.presence is Presence.UNREADABLE or evidence.integrity is Integrity.BROKEN


def test_a_million_boxes_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    path = changed(forgery.box(b"ftyp", b"isom") + forgery.box(b"free", b"") * 300_000, tmp_path)

    found = examine(path, timestamp_roots=())

    assert found.state is CoverageState.UNREADABLE
    assert "more than" in (found.reason or "")


def test_the_list_of_open_ranges_stays_readable(signed: Path, tmp_path: Path) -> None:
    path = changed(signed.read_bytes() + forgery.box(b"free", b"x") * 1000, tmp_path)

    found = examine(path, timestamp_roots=())

    assert len(found.unbound) == MAX_RANGES
    assert len(found.violations) == 1


def test_nothing_can_be_promised_about_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMedia):
        unbound_digest(tmp_path / "nowhere.mp4")
    with pytest.raises(UnreadableMedia, match="is no MP4"):
        unbound_digest(changed(b"not boxes at all", tmp_path))
