"""The composition root: a home and its settings become a pipeline. Choices are made here alone."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points

from audit.bodies import PlugIn
from audit.home import Home
from audit.ledger import Ledger
from audit.names import refuse_claimed_names
from audit.redaction import Vault
from audit.wiring import now, open_ledger, own_mark_keys, own_trust
from generator.declaring import declare, keys_of, policy_text
from generator.errors import ExtraMissing, GenerationError, ModelUnavailable
from generator.gates import Gates
from generator.holding import Holding
from generator.journal import Journal
from generator.marking import Marking
from generator.memory import return_freed_memory
from generator.models import ModelSettings, VideoModel
from generator.pipeline import Pipeline
from generator.progress import Phase, Progress, ProgressListener, nobody
from generator.recovery import recover
from generator.settings import Settings
from generator.signing import Signing, TimestampSource
from generator.sources import Sources
from provenance.examination import WATERMARKERS, MarkKey, load_watermarker
from provenance.keys import FileSigner, read_private
from provenance.pki import DemoPki
from provenance.timestamp_authority import LocalAuthority
from safety.classifiers import FRAME_CLASSIFIERS, PROMPT_CLASSIFIERS

MODELS = "countermark.models"  # the entry point group
ModelOpener = Callable[[ModelSettings], VideoModel]


@contextmanager
def open_pipeline(
    home: Home, settings: Settings, *, with_model: bool, listener: ProgressListener = nobody
) -> Iterator[Pipeline]:
    """Open a pipeline over a home, after closing what dead processes left open in it.

    Args:
        home: set up by `countermark init`.
        settings: of that home.
        with_model: load the video model; `protect` needs none.
        listener: told that the model is being loaded.

    Raises:
        NameClaimed: another distribution overwrites our packages.
        HomeUnusable: nothing is set up there.
        ExtraMissing: a part of the installation is missing.
        KeyExposed: a secret is readable by others.
    """
    refuse_claimed_names()
    return_freed_memory()
    home.required().make_folders()
    sealing_key = read_private(home.sealing_key)
    opener = find_model(settings) if with_model else None  # its extra brings that of the gates
    mark_keys = own_mark_keys(home, settings)
    gates = Gates.open(settings.safety)
    signing = open_signing(home, settings, gates)
    model = None
    if opener is not None:
        listener(Progress(Phase.LOADING))
        model = start_model(opener, home, settings)
    with open_ledger(home, settings) as ledger:
        recover(ledger, home, now)
        keys = [key.body for key in keys_of(home, mark_keys)]
        declare(ledger, [policy_text(gates.policy), *keys], now())
        yield Pipeline(
            sources=Sources(model, settings.provenance, signing.trust),
            gates=gates,
            marking=open_marking(settings, mark_keys[0].key),
            signing=signing,
            holding=Holding(home.held, sealing_key),
            journal=open_journal(ledger, sealing_key, gates, plug_ins(settings, model)),
            private=home.private,
            clips=home.clips,
        )


def open_journal(
    ledger: Ledger, sealing_key: bytes, gates: Gates, taking_part: tuple[PlugIn, ...]
) -> Journal:
    """Return what tells the log of attempts."""
    vault = Vault(ledger, sealing_key)
    return Journal(ledger, vault, sealing_key, gates.policy, taking_part, now)


def plug_ins(settings: Settings, model: VideoModel | None) -> tuple[PlugIn, ...]:
    """Return every entry point that takes part, with the distribution it was installed from."""
    names = [
        *((PROMPT_CLASSIFIERS, name) for name in settings.safety.prompt_classifiers),
        *((FRAME_CLASSIFIERS, name) for name in settings.safety.frame_classifiers),
        (WATERMARKERS, settings.provenance.watermarkers[0]),
        *([] if model is None else [(MODELS, settings.generator.model)]),
    ]
    return tuple(
        PlugIn(group, name, point.dist.name, point.dist.version)
        for group, name in names
        for point in entry_points(group=group, name=name)
        if point.dist is not None
    )


def open_marking(settings: Settings, key: MarkKey) -> Marking:
    """Return what marks clips with a key, which must stand in the log by then."""
    provenance = settings.provenance
    return Marking(load_watermarker(key.method, key.secret), provenance.encoding, provenance.limits)


def open_signing(home: Home, settings: Settings, gates: Gates) -> Signing:
    """Return the home's signer and its time-stamp authority, with their own trust lists."""
    pki = DemoPki.at(home.keys)
    address = settings.provenance.timestamp_authority
    local = address == "local"
    return Signing(
        signer=FileSigner(pki.signing_key, pki.signing_chain),
        timestamps=TimestampSource(
            local=LocalAuthority(pki.timestamp_key, pki.timestamp_chain) if local else None,
            address=None if local else address,
            clock=now,
        ),
        trust=own_trust(home),
        policy=gates.policy,
    )


def open_model(home: Home, settings: Settings) -> VideoModel:
    """Import the configured video model and load its weights; raises what both steps raise."""
    return start_model(find_model(settings), home, settings)


def find_model(settings: Settings) -> ModelOpener:
    """Import the configured video model by entry point; nothing is loaded yet.

    Raises:
        ExtraMissing: torch or diffusers is not installed.
        ModelUnavailable: no such model, or its code broke while it was imported.
    """
    # Nothing that loads a model may reach for a hub; the libraries read this once, when imported.
    os.environ["HF_HUB_OFFLINE"] = "1"
    name = settings.generator.model
    found = entry_points(group=MODELS, name=name)
    if not found:
        names = ", ".join(sorted(point.name for point in entry_points(group=MODELS)))
        raise ModelUnavailable(
            f"no model {name!r} is installed; set generator.model to one of: {names}"
        )
    with _told_of(name):
        opener: ModelOpener = next(iter(found)).load()
    return opener


def start_model(opener: ModelOpener, home: Home, settings: Settings) -> VideoModel:
    """Load a model's weights.

    Raises:
        ExtraMissing: something that it needs is not installed.
        ModelUnavailable: its weights are missing, corrupt or unpinned, or its code broke.
    """
    name = settings.generator.model
    asked = ModelSettings(
        name=name,
        folder=settings.generator.model_folder,
        digest=settings.generator.model_digest,
        preset=settings.generator.preset,
        threads=settings.generator.threads,
        home=home.path,
    )
    with _told_of(name):
        return opener(asked)


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """Tell in one sentence what a model's code raises; it may be anybody's."""
    try:
        yield
    except ImportError as error:
        raise ExtraMissing(
            f"generating needs {error.name or 'a module'}, which is not installed; "
            "run: pip install 'countermark[generate]'"
        ) from error
    except GenerationError:
        raise
    except Exception as error:  # a model may be a plug-in, whose code may raise anything
        raise ModelUnavailable(
            f"the model {name!r} cannot start: {type(error).__name__}: {error}; repair it, or set "
            "generator.model to another"
        ) from error
