"""Keys and policies stand in the log before anything is done under them."""

import shutil
from dataclasses import astuple
from pathlib import Path

from audit.home import Home
from audit.queries import RecordFilter, list_records
from audit.vocabulary import KeyPurpose, RecordKind
from audit.wiring import now, open_ledger, own_mark_keys
from generator.declaring import declare, keys_of, policy_text
from generator.settings import Settings
from provenance.pki import DemoPki, make_demo_pki
from safety.policy import Policy
from tests.support.press import new_home


def declared(home: Home) -> list[dict[str, object]]:
    """Do what every start does, and return the bodies of all key and policy records."""
    settings = Settings.load(home.settings)
    with open_ledger(home, settings) as ledger:
        keys = [key.body for key in keys_of(home, own_mark_keys(home, settings))]
        declare(ledger, [policy_text(Policy.load("permissive")), *keys], now())
        wanted = RecordFilter(kinds=frozenset({RecordKind.KEY, RecordKind.POLICY}))
        return [dict(stored.record.body) for stored in list_records(ledger, wanted).records]


def test_what_stands_in_the_log_is_not_recorded_again(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")

    assert declared(home) == declared(home)


def test_a_certificate_that_was_put_in_place_by_hand_is_recorded_at_the_next_start(
    tmp_path: Path,
) -> None:
    home = new_home(tmp_path / "home")
    before = declared(home)
    (tmp_path / "other").mkdir()
    make_demo_pki(tmp_path / "other", organisation="another desk", now=now())
    for new in map(Path, astuple(DemoPki.at(tmp_path / "other"))):
        shutil.copy2(new, home.keys / new.name)

    after = declared(home)

    added = [body for body in after if body not in before]
    assert {body["purpose"] for body in added} == {KeyPurpose.SIGNING, KeyPurpose.TIMESTAMP}
    assert len(after) == len(before) + 2
