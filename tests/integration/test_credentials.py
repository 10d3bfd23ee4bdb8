"""Sign real clips, read them back with both verifiers, and judge wrong certificates rightly."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from pydantic import TypeAdapter

from provenance.claims import Claims
from provenance.content_credentials import CredentialsState, sign_file
from provenance.coverage import CoverageState, unbound_digest
from provenance.credentials import (
    Agreement,
    CredentialsEvidence,
    Integrity,
    Presence,
    TrustState,
    examine,
    prove_released,
)
from provenance.errors import (
    AuthorityUnavailable,
    CredentialsError,
    KeyUnavailable,
    ReadBackFailed,
    SigningError,
    StorageFailed,
    UnreadableMedia,
    UnsupportedMedia,
)
from provenance.manifest import build
from provenance.manifest_facts import mark_id_of, misread
from provenance.timestamp import TimestampState
from provenance.trust import TrustList, TrustLists
from tests.support import forgery
from tests.support.drawing import drawn_video, video_with_sound
from tests.support.pki import CLAIMS, EMAIL, TIME_STAMPING, Desk, impostor, opened


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


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux() if packet.size]


def test_a_signed_clip_is_trusted_by_both_and_leaves_no_byte_unaccounted(
    desk: Desk, signed: Path
) -> None:
    evidence = prove_released(signed, desk.trust)

    assert evidence.first.state is evidence.second.state is CredentialsState.TRUSTED
    assert (evidence.integrity, evidence.trust) == (Integrity.HOLDS, TrustState.TRUSTED)
    assert evidence.agreement is Agreement.AGREE
    assert evidence.reasons == ()
    assert evidence.coverage.promised
    assert evidence.coverage.timestamp.state is TimestampState.VALID
    assert evidence.first.claim_list == "root.pem"


def test_a_clip_with_sound_is_trusted_too(desk: Desk, tmp_path: Path) -> None:
    source = video_with_sound(tmp_path / "sound.mp4")
    desk.sign(source, tmp_path / "signed.mp4")

    assert prove_released(tmp_path / "signed.mp4", desk.trust).trust is TrustState.TRUSTED


def test_signing_touches_neither_packets_nor_the_boxes_outside_the_hash(
    clip: Path, signed: Path
) -> None:
    assert packets(signed) == packets(clip)
    assert unbound_digest(signed) == unbound_digest(clip)


def test_what_was_claimed_reads_back(desk: Desk, signed: Path) -> None:
    facts = examine(signed, desk.trust).facts

    assert facts is not None
    assert facts.log == CLAIMS.log
    assert facts.mark == CLAIMS.mark
    assert facts.model == CLAIMS.model
    assert (facts.decision, facts.policy_name) == ("allow", "permissive")
    assert facts.policy_digest == CLAIMS.policy_digest
    assert facts.actions == ("c2pa.created", "c2pa.watermarked.bound")
    assert facts.digital_source_type is not None
    assert facts.digital_source_type.endswith("trainedAlgorithmicMedia")
    assert facts.issuer == "Example Newsroom"
    assert facts.signed_at is not None
    assert [mark_id_of(binding) for binding in facts.soft_bindings] == ["00112233445566ff"]


def test_the_label_that_signing_returns_is_the_one_in_the_file(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    written = desk.sign(clip, tmp_path / "signed.mp4")

    evidence = examine(tmp_path / "signed.mp4", desk.trust)

    assert evidence.facts is not None
    assert evidence.facts.active_label == written.label
    assert written.label.startswith("urn:c2pa:")


def test_no_score_and_no_file_name_leaves_with_the_clip(desk: Desk, signed: Path) -> None:
    report = json.dumps(dict(examine(signed, desk.trust).first.store))

    assert "score" not in report
    assert "clip.mp4" not in report


def test_evidence_crosses_a_process_boundary_unchanged(desk: Desk, signed: Path) -> None:
    evidence = examine(signed, desk.trust)

    shape = TypeAdapter(CredentialsEvidence)
    crossed = shape.validate_json(shape.dump_json(evidence), strict=True)

    assert crossed == evidence


def test_without_any_list_the_clip_holds_and_nobody_vouches_for_it(signed: Path) -> None:
    evidence = examine(signed, TrustLists())

    assert (evidence.integrity, evidence.trust) == (Integrity.HOLDS, TrustState.UNTRUSTED)
    assert evidence.agreement is Agreement.AGREE


def test_a_time_stamp_root_does_not_vouch_for_claims(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    stranger = impostor(tmp_path)
    desk.sign(clip, tmp_path / "signed.mp4", signer=stranger.signer)
    mixed = TrustLists(claim=desk.trust.claim, timestamp=(stranger.root,))

    evidence = examine(tmp_path / "signed.mp4", mixed)

    assert evidence.first.state is CredentialsState.TRUSTED  # c2pa-rs does not tell them apart
    assert evidence.trust is TrustState.WRONG_USAGE
    assert evidence.agreement is Agreement.DISAGREE


def test_a_time_stamp_authority_cannot_sign_claims(desk: Desk, clip: Path, tmp_path: Path) -> None:
    authority = impostor(tmp_path, usage=TIME_STAMPING)
    trust = TrustLists(claim=(authority.root,), timestamp=desk.trust.timestamp)
    desk.sign(clip, tmp_path / "signed.mp4", signer=authority.signer)

    evidence = examine(tmp_path / "signed.mp4", trust)

    assert evidence.trust is TrustState.WRONG_USAGE
    assert any("key usages" in reason for reason in evidence.reasons)


def test_the_older_mail_usage_still_signs_claims(desk: Desk, clip: Path, tmp_path: Path) -> None:
    mail = impostor(tmp_path, usage=EMAIL)
    trust = TrustLists(claim=(mail.root,), timestamp=desk.trust.timestamp)
    desk.sign(clip, tmp_path / "signed.mp4", signer=mail.signer)

    assert examine(tmp_path / "signed.mp4", trust).trust is TrustState.TRUSTED


def test_a_trusted_time_stamp_outlives_the_certificate(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    # c2pa signs with no certificate that has run out, so this one has to do it meanwhile.
    issued = datetime.now(UTC)
    short = impostor(tmp_path, now=issued, life=timedelta(seconds=5))
    desk.sign(clip, tmp_path / "signed.mp4", signer=short.signer)
    time.sleep(max(0.0, 6.1 - (datetime.now(UTC) - issued).total_seconds()))

    stamped = examine(tmp_path / "signed.mp4", TrustLists((short.root,), desk.trust.timestamp))
    unproven = examine(tmp_path / "signed.mp4", TrustLists((short.root,)))

    assert stamped.trust is TrustState.TRUSTED
    assert (unproven.integrity, unproven.trust) == (Integrity.HOLDS, TrustState.EXPIRED)


def test_an_opened_clip_keeps_the_credentials_of_its_original(
    desk: Desk, clip: Path, signed: Path, tmp_path: Path
) -> None:
    desk.sign(clip, tmp_path / "again.mp4", opened(generated_by="another model"), parent=signed)

    evidence = prove_released(tmp_path / "again.mp4", desk.trust)

    assert evidence.facts is not None
    assert evidence.facts.actions[0] == "c2pa.opened"
    assert evidence.facts.generated_by == "another model"
    assert evidence.facts.ingredients[0].relationship == "parentOf"
    assert evidence.facts.ingredients[0].manifest_label is not None
    assert evidence.first.ingredient_failures == ()


def test_an_original_without_credentials_is_an_ingredient_all_the_same(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    original = video_with_sound(tmp_path / "film.mkv", container="matroska", codec="mp2")
    desk.sign(clip, tmp_path / "signed.mp4", opened(), parent=original)

    evidence = prove_released(tmp_path / "signed.mp4", desk.trust)

    assert evidence.facts is not None
    assert evidence.facts.digital_source_type is None
    assert evidence.facts.ingredients[0].manifest_label is None


def test_a_changed_original_breaks_what_is_made_from_it(
    desk: Desk, clip: Path, signed: Path, tmp_path: Path
) -> None:
    content = signed.read_bytes()
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(forgery.flipped(content, len(content) // 2, 3))
    desk.sign(clip, tmp_path / "again.mp4", opened(), parent=changed)

    evidence = examine(tmp_path / "again.mp4", desk.trust)

    assert evidence.first.state is CredentialsState.TRUSTED
    assert evidence.integrity is Integrity.BROKEN
    assert "an earlier step" in evidence.reasons[0]


def test_a_clip_without_credentials_is_absent(desk: Desk, clip: Path) -> None:
    evidence = examine(clip, desk.trust)

    assert evidence.presence is Presence.ABSENT
    assert evidence.facts is None
    assert evidence.coverage.state is CoverageState.NOT_CHECKED


@pytest.mark.parametrize(("suffix", "container"), [("mkv", "matroska"), ("webm", "matroska")])
def test_a_container_that_carries_no_credentials_says_so(
    suffix: str, container: str, desk: Desk, tmp_path: Path
) -> None:
    film = video_with_sound(tmp_path / f"film.{suffix}", container=container, codec="mp2")

    evidence = examine(film, desk.trust)

    assert evidence.presence is Presence.ABSENT
    assert "cannot carry Content Credentials" in evidence.reasons[0]


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\0" * 4096, b"\x00\x00\x00\x18ftypisom", bytes(range(256)) * 9]
)
def test_rubbish_is_judged_and_never_raises(content: bytes, desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "rubbish.mp4"
    path.write_bytes(content)

    assert examine(path, desk.trust).presence is not Presence.PRESENT


def test_a_file_that_is_not_there_is_an_error(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UnreadableMedia, match="cannot read"):
        examine(tmp_path / "nowhere.mp4", desk.trust)


def test_a_silent_authority_means_no_clip(desk: Desk, clip: Path, tmp_path: Path) -> None:
    with desk.clock_at() as url:
        pass  # the port is closed again

    with pytest.raises(AuthorityUnavailable, match="gave no time-stamp"):
        sign_file(
            clip,
            tmp_path / "signed.mp4",
            build(CLAIMS, unbound_sha256=unbound_digest(clip)),
            desk.signer,
            timestamp_url=url,
        )

    assert not (tmp_path / "signed.mp4").exists()


def test_the_cause_of_a_failing_key_is_not_lost(desk: Desk, clip: Path, tmp_path: Path) -> None:
    class Unplugged:
        algorithm = "es256"
        certificate_chain_pem = desk.signer.certificate_chain_pem

        def sign(self, payload: bytes) -> bytes:
            raise KeyUnavailable(f"the token with the key is gone ({len(payload)} bytes to sign)")

    with pytest.raises(KeyUnavailable, match="the token with the key is gone"):
        desk.sign(clip, tmp_path / "signed.mp4", signer=Unplugged())


def test_a_key_that_is_not_the_certificates_signs_nothing(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    class Mismatched:
        algorithm = "es256"
        certificate_chain_pem = desk.signer.certificate_chain_pem
        sign = staticmethod(impostor(tmp_path).signer.sign)

    with pytest.raises(SigningError, match="refused to sign"):
        desk.sign(clip, tmp_path / "signed.mp4", signer=Mismatched())

    assert not (tmp_path / "signed.mp4").exists()


def test_a_file_in_the_way_is_not_overwritten(desk: Desk, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "signed.mp4").write_bytes(b"somebody's work")

    with pytest.raises(StorageFailed, match=r"cannot write signed\.mp4"):
        desk.sign(clip, tmp_path / "signed.mp4")

    assert (tmp_path / "signed.mp4").read_bytes() == b"somebody's work"


FULL_DISK = """
import resource, sys
from pathlib import Path
from tests.support.pki import CLAIMS, Desk
desk, clip, target = Desk.open(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3])
limit = clip.stat().st_size + 1000  # the clip fits, and its manifest does not
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    desk.sign(clip, target)
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_is_called_a_full_disk_and_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir()
    target = tmp_path / "signed.mp4"
    script = [FULL_DISK, str(tmp_path / "desk"), str(clip), str(target)]

    done = subprocess.run(
        [sys.executable, "-c", *script], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("StorageFailed cannot write signed.mp4 (File too large)")
    assert not target.exists()


def test_what_was_not_claimed_is_named_field_by_field(desk: Desk, signed: Path) -> None:
    facts = examine(signed, desk.trust).facts
    other = replace(
        CLAIMS,
        title="another",
        decision="block",
        policy_digest="00" * 32,
        log=replace(CLAIMS.log, index=4),
        mark=replace(CLAIMS.mark, mark_id_hex="ff" * 8) if CLAIMS.mark else None,
        model=None,
        generated_by="somebody",
    )

    assert facts is not None
    assert list(misread(CLAIMS, facts)) == []
    assert [complaint.partition(" reads")[0] for complaint in misread(other, facts)] == [
        "its title",
        "its decision",
        "its policy digest",
        "its mark",
        "its soft binding",
        "its model",
        "its log proof",
        "its generated_by",
    ]


@pytest.mark.parametrize(
    ("trusting", "complaint"),
    [
        (lambda trust: TrustLists(claim=trust.claim), "time-stamp is untrusted"),
        (lambda trust: TrustLists(timestamp=trust.timestamp), "c2pa-rs says valid"),
        (lambda trust: TrustLists(trust.timestamp, trust.claim), "time-stamp is untrusted"),
    ],
    ids=["no time-stamp list", "no claim list", "lists exchanged"],
)
def test_nothing_is_released_that_the_own_lists_do_not_trust(
    trusting: object, complaint: str, desk: Desk, signed: Path
) -> None:
    assert callable(trusting)

    with pytest.raises(ReadBackFailed, match=complaint):
        prove_released(signed, trusting(desk.trust))


def test_nothing_is_released_with_a_byte_changed(desk: Desk, signed: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(forgery.with_appended_free_box(signed.read_bytes(), b"x"))

    with pytest.raises(ReadBackFailed, match="leaves out"):
        prove_released(changed, desk.trust)


def test_a_commitment_to_other_boxes_is_not_released(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    manifest = build(CLAIMS, unbound_sha256="00" * 32)
    with desk.clock_at() as url:
        sign_file(clip, tmp_path / "signed.mp4", manifest, desk.signer, timestamp_url=url)

    with pytest.raises(ReadBackFailed, match="leaves out"):
        prove_released(tmp_path / "signed.mp4", desk.trust)


def test_a_clip_without_a_mark_claims_none(desk: Desk, clip: Path, tmp_path: Path) -> None:
    unmarked: Claims = replace(CLAIMS, mark=None, model=None)
    desk.sign(clip, tmp_path / "signed.mp4", unmarked)

    facts = prove_released(tmp_path / "signed.mp4", desk.trust).facts

    assert facts is not None
    assert facts.mark is None
    assert facts.soft_bindings == ()
    assert facts.actions == ("c2pa.created",)


def test_a_signed_file_is_not_signed_as_if_it_were_new(
    desk: Desk, signed: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedMedia, match="already"):
        desk.sign(signed, tmp_path / "laundered.mp4")

    assert not (tmp_path / "laundered.mp4").exists()


def test_trust_lists_that_hold_no_certificate_are_refused(tmp_path: Path) -> None:
    (tmp_path / "list.pem").write_text("no certificate in here\n")

    with pytest.raises(CredentialsError, match="no certificates in PEM"):
        TrustLists.load(claim=(tmp_path / "list.pem",))


def test_a_missing_trust_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"nowhere\.pem"):
        TrustLists.load(timestamp=(tmp_path / "nowhere.pem",))


def test_a_list_is_named_with_its_edition_in_the_evidence(desk: Desk, signed: Path) -> None:
    evidence = examine(signed, desk.trust)

    assert evidence.trust_lists[0] == f"root.pem sha256:{desk.trust.claim[0].sha256}"


def test_comments_in_a_list_do_not_matter(desk: Desk, signed: Path) -> None:
    talkative = TrustList(
        "list", b"# the newsroom's roots\n" + desk.trust.claim[0].pem + b"# end\n"
    )

    evidence = examine(signed, TrustLists((talkative,), desk.trust.timestamp))

    assert evidence.trust is TrustState.TRUSTED


def test_the_time_in_the_evidence_is_the_authoritys(desk: Desk, signed: Path) -> None:
    found = examine(signed, desk.trust).coverage.timestamp

    assert found.time is not None
    assert abs(datetime.now(UTC) - found.time) < timedelta(minutes=10)
    assert found.authority == "countermark demo - not for production, time-stamps"
