"""Whatever a file says, the check answers with findings and never with an exception; what it passes compiles."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.machine import compile_flows
from engine.loading.library import load_texts
from tests.loading.rules.bench import shipped

LINES = (Path(__file__).parents[3] / "flows" / "print_order.yaml").read_text(encoding="utf-8").split("\n")
PLACES = st.integers(0, len(LINES) - 1)
CHANGES = st.one_of(
    st.tuples(st.just("drop"), PLACES, PLACES),
    st.tuples(st.just("swap"), PLACES, PLACES),
    st.tuples(st.just("copy"), PLACES, PLACES),
    st.tuples(st.just("mix"), PLACES, PLACES),
)


def changed(changes: list[tuple[str, int, int]]) -> str:
    lines = list(LINES)
    for what, first, second in changes:
        one, other = first % len(lines), second % len(lines)
        match what:
            case "drop":
                del lines[one]
            case "swap":
                lines[one], lines[other] = lines[other], lines[one]
            case "copy":
                lines.insert(one, lines[other])
            case _:
                key, colon, _ = lines[one].partition(":")
                lines[one] = key + colon + lines[other].partition(":")[2]
    return "\n".join(lines)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHANGES, min_size=1, max_size=4))
def test_shuffled_lines(changes: list[tuple[str, int, int]]) -> None:
    text = changed(changes)
    loaded = load_texts({"print_order.yaml": text}, shipped())
    for finding in loaded.report.findings:
        assert 1 <= finding.span.line <= text.count("\n") + 2
        assert finding.message
    if loaded.report.ok:
        compile_flows(loaded.flows, loaded.bot, shipped())
