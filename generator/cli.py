"""The command `countermark`: the write side's commands, and all of the read side's.

stdout is data, stderr is messages and progress. Exit codes: 0 done, 1 operational error, 2 usage,
20 refused by a gate, 21 held for a person; `verify` and `log check` have their own.
"""

import functools
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from audit import cli as read_side
from audit.cli import HomeOption, JsonFlag

app = typer.Typer(
    help="Generate video behind safety gates, mark, sign and log it; verify any file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
screen_app = typer.Typer(help="Ask the gates, without making anything.", no_args_is_help=True)
policy_app = typer.Typer(help="Read, compare and test policies.", no_args_is_help=True)
model_app = typer.Typer(help="Know a model's weights by their digest.", no_args_is_help=True)
keys_app = typer.Typer(
    help="Know the keys of a home, and replace the mark's.", no_args_is_help=True
)

app.command("verify")(read_side.verify)
app.add_typer(read_side.log_app, name="log")
app.add_typer(read_side.token_app, name="token")
app.add_typer(screen_app, name="screen")
app.add_typer(policy_app, name="policy")
app.add_typer(model_app, name="model")
app.add_typer(keys_app, name="keys")

OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", help="File to write; never replaced.")
]


@app.callback()
def root(ctx: typer.Context, home: HomeOption = None) -> None:
    """Keep the home for the commands (COUNTERMARK_HOME names it as well)."""
    if ctx.invoked_subcommand != "doctor":  # it tells this as one answer among others
        from audit.names import refuse_claimed_names

        refuse_claimed_names()
    ctx.obj = home


@app.command()
def demo(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the whole journey on the embedded model, then tamper with the clip and verify again."""
    from generator.demo import run_demo

    run_demo(ctx.obj, as_json=as_json)


@app.command()
def init(
    ctx: typer.Context,
    organisation: Annotated[
        str, typer.Option(help="Named as the issuer in every manifest.")
    ] = "countermark demo",
    deployment: Annotated[
        str, typer.Option(help="First half of the log's name, such as press.example.org.")
    ] = "countermark.local",
    policy: Annotated[
        str, typer.Option(help="A shipped policy (default, permissive, strict) or a TOML file.")
    ] = "default",
    as_json: JsonFlag = False,
) -> None:
    """Make a home: keys, demonstration certificates, a local time-stamp authority, an empty log."""
    from generator.commands import run_init
    from generator.setup import NewHome

    run_init(ctx.obj, NewHome(organisation, deployment, policy), as_json=as_json)


@app.command()
def make(
    ctx: typer.Context,
    prompt: Annotated[str, typer.Argument(help="What the clip shows.")],
    output: OutputOption = None,
    negative: Annotated[str, typer.Option(help="What it should not show.")] = "",
    size: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT, such as 256x256.")] = None,
    frames: Annotated[int | None, typer.Option(help="Number of frames, 4k+1.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same clip.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Generate a clip: gated, marked, signed, recorded. Exit 20 when refused, 21 when held."""
    from generator.commands import run_request
    from generator.request import MakeRequest, parse_size

    width, height = (None, None) if size is None else parse_size(size)
    request = MakeRequest(
        prompt=prompt,
        target=output,
        negative_prompt=negative,
        width=width,
        height=height,
        frames=frames,
        steps=steps,
        seed=seed,
    )
    raise typer.Exit(run_request(ctx.obj, request, as_json=as_json))


@app.command()
def protect(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="The clip, made elsewhere.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write; never replaced.")],
    prompt: Annotated[str | None, typer.Option(help="The prompt, where it is known.")] = None,
    generated_by: Annotated[
        str | None,
        typer.Option(
            help="Your statement of which model made it. It is signed, and stands in the clip and "
            "in the log for good."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Gate, mark, sign and record a clip made elsewhere. Exit 20 when refused, 21 when held."""
    from generator.commands import run_request
    from generator.request import ProtectRequest

    request = ProtectRequest(source, output, prompt, generated_by)
    raise typer.Exit(run_request(ctx.obj, request, as_json=as_json))


@screen_app.command("prompt")
def screen_prompt(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="The prompt.")],
    negative: Annotated[str, typer.Option(help="The negative prompt that goes with it.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Say what the prompt gate decides. Exit 20 for block, 21 for review."""
    from generator.screening import screen_text

    raise typer.Exit(screen_text(ctx.obj, text, negative, as_json=as_json))


@screen_app.command("prompts")
def screen_prompts(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="JSON lines with a `text` each; - for stdin.")],
    jsonl: Annotated[bool, typer.Option("--jsonl", help="JSON lines out, as always here.")] = True,
) -> None:
    """Screen many prompts: JSON lines in, JSON lines out. Exit 20, 21 or 1 as the worst line."""
    del jsonl
    from generator.screening import screen_lines

    raise typer.Exit(screen_lines(ctx.obj, path))


@screen_app.command("clip")
def screen_clip(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="The clip.")],
    as_json: JsonFlag = False,
) -> None:
    """Say what the gate of frames decides on a clip. Exit 20 for block, 21 for review."""
    from generator.screening import screen_video

    raise typer.Exit(screen_video(ctx.obj, path, as_json=as_json))


@policy_app.command("show")
def policy_show(
    ctx: typer.Context,
    policy: Annotated[
        str | None,
        typer.Argument(help="A shipped policy or a TOML file; the one in force if left out."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The file, byte for byte.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what a policy refuses and keeps for a person, and its digest."""
    from generator.policy_commands import show_policy

    show_policy(ctx.obj, policy, raw=raw, as_json=as_json)


@policy_app.command("diff")
def policy_diff(
    old: Annotated[str, typer.Argument(help="A shipped policy or a TOML file.")],
    new: Annotated[str, typer.Argument(help="Another one.")],
    refuse_milder: Annotated[
        bool,
        typer.Option("--refuse-milder", help="Exit 1 unless every changed rule is stricter."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what changes from one policy to another, and which way."""
    from generator.policy_commands import diff_policies

    raise typer.Exit(diff_policies(old, new, refuse_milder=refuse_milder, as_json=as_json))


@policy_app.command("test")
def policy_test(
    ctx: typer.Context,
    cases: Annotated[
        Path, typer.Argument(help='JSON lines with a "text" and an "expect" each; - for stdin.')
    ],
    policy: Annotated[
        str | None,
        typer.Option(help="A shipped policy or a TOML file; the one in force if left out."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Hold a policy against prompts whose decisions are known. Exit 1 where one differs."""
    from generator.policy_commands import run_cases

    raise typer.Exit(run_cases(ctx.obj, cases, policy, as_json=as_json))


@model_app.command("pin")
def model_pin(
    folder: Annotated[Path, typer.Argument(help="Wan2.2 in the diffusers layout.")],
    as_json: JsonFlag = False,
) -> None:
    """Hash a folder of weights and print the settings that name it."""
    from generator.model_commands import pin_model

    pin_model(folder, as_json=as_json)


@model_app.command("check")
def model_check(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """Hash the weights that the settings name, and say whether they are the pinned ones."""
    from generator.model_commands import check_model

    check_model(ctx.obj, as_json=as_json)


@keys_app.command("ls")
def keys_ls(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List the keys of a home: what for, since when, whether in use. No secret is shown."""
    from generator.key_commands import list_keys

    list_keys(ctx.obj, as_json=as_json)


@keys_app.command("rotate")
def keys_rotate(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="What the new key is for; this version takes mark.")],
    as_json: JsonFlag = False,
) -> None:
    """Make a new mark key, which marks from now on; the old ones stay and are looked for."""
    from generator.key_commands import rotate_key

    rotate_key(ctx.obj, kind, as_json=as_json)


@app.command()
def doctor(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """Check this installation and this home, line by line. Exit 1 when something is wrong."""
    from generator.doctor import run_doctor

    raise typer.Exit(run_doctor(ctx.obj, as_json=as_json))


@app.command(
    help="Serve verification and the log over HTTP; without a home, verification alone. What dead "
    "processes left open is closed first, unless --read-only is given."
)
@functools.wraps(read_side.serve)  # with the very options of the read side
def serve(ctx: typer.Context, **options: Any) -> None:  # noqa: ANN401, D103 - as it says there
    if not options["read_only"]:
        from generator.serving import recover_at_start

        recover_at_start(ctx.obj)
    read_side.serve(ctx, **options)


def main() -> None:
    """Run the command; what users can mend is told in one sentence, without a traceback."""
    signal.signal(signal.SIGTERM, _end)
    try:
        app()
    except SystemExit as end:  # the ordinary end; first, so that naming failures costs it nothing
        _tell_notes(end)
        raise
    except _expected_failures() as error:
        from generator.failures import exit_code_of

        sys.stderr.write(f"countermark: {error}\n")
        _tell_notes(error)
        sys.exit(exit_code_of(error))
    except KeyboardInterrupt as error:
        sys.stderr.write("countermark: interrupted\n")
        _tell_notes(error)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; there is nobody to tell
        sys.exit(141)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """Turn SIGTERM into an exception: a journey under way records its end and cleans up."""
    del frame
    signal.signal(number, signal.SIG_IGN)  # a second one must not cut the cleaning short
    sys.exit(128 + number)


def _tell_notes(error: BaseException) -> None:
    """Print what was added to an error on its way, such as what became of the clip."""
    for note in getattr(error, "__notes__", ()):
        sys.stderr.write(f"{note}\n")


def _expected_failures() -> tuple[type[Exception], ...]:
    """Return what our packages raise; asked only once something was raised."""
    from generator.failures import expected_failures

    return expected_failures()
