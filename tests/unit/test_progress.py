"""What is told of a journey under way: how far it is, and how long it will take."""

import io

from generator.progress import Paced, Phase, Progress
from generator.terminal import Lines, amount, left


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def paced(*events: tuple[float, Progress]) -> list[float | None]:
    """Return the seconds left that each event came out with; each is told so many seconds later."""
    clock, told = Clock(), []
    listener = Paced(told.append, clock)
    for seconds, progress in events:
        clock.now += seconds
        listener(progress)
    return [progress.seconds_left for progress in told]


def marking(done: int) -> Progress:
    return Progress(Phase.MARKING, done, 10)


def test_the_time_left_is_the_pace_since_the_first_frame_times_what_is_left() -> None:
    estimates = paced((0, marking(0)), (5, marking(1)), (2, marking(2)), (2, marking(3)))

    assert estimates == [None, None, 16.0, 14.0]


def test_a_phase_without_a_total_has_no_estimate() -> None:
    assert paced((0, Progress(Phase.SIGNING)), (9, Progress(Phase.SIGNING, 5))) == [None, None]


def test_an_estimate_of_whoever_knows_better_stays() -> None:
    known = Progress(Phase.GENERATING, 3, 20, "steps", seconds_left=7.0)

    assert paced((0, known)) == [7.0]


def test_each_phase_and_each_new_beginning_of_one_has_a_pace_of_its_own() -> None:
    estimates = paced(
        (0, marking(1)),
        (1, marking(5)),
        (50, marking(1)),
        (2, marking(2)),
        (0, Progress(Phase.OUTPUT_GATE, 1, 10)),
        (3, Progress(Phase.OUTPUT_GATE, 2, 10)),
    )

    assert estimates == [None, 1.25, None, 16.0, None, 24.0]


def test_the_last_frame_leaves_nothing_to_wait_for() -> None:
    assert paced((0, marking(1)), (9, marking(10)))[-1] == 0


def test_off_a_terminal_a_phase_gets_a_line_and_then_one_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)

    for second in range(25):
        lines(Progress(Phase.MARKING, second, 100, seconds_left=None if second < 2 else 75.0))
        clock.now += 1
    lines(Progress(Phase.SIGNING))

    assert stream.getvalue().splitlines() == [
        "starting …",
        "marking and encoding, 0 of 100 frames …",
        "marking and encoding, 10 of 100 frames, 1:15 left …",
        "marking and encoding, 20 of 100 frames, 1:15 left …",
        "signing …",
    ]


def test_amount_and_time_left_read_as_people_say_them() -> None:
    steps = Progress(Phase.GENERATING, 7, 20, "steps for 33 frames", seconds_left=4.6)

    assert amount(steps) == "7 of 20 steps for 33 frames"
    assert left(steps) == "0:05 left"
    assert left(Progress(Phase.MARKING, 1, 2, seconds_left=625.0)) == "10:25 left"
    assert left(Progress(Phase.MARKING, 1, 2, seconds_left=3725.0)) == "1:02:05 left"
    assert left(Progress(Phase.MARKING, 2, 2, seconds_left=0.0)) == ""
    assert left(Progress(Phase.SIGNING)) == amount(Progress(Phase.SIGNING)) == ""
