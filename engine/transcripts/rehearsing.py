"""Puts the bot's answers behind the inputs that they answer, by doing the inputs once more one after the other.

A journal has them as they came: of two quick presses both stand before the first answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from engine.actions.catalog import Catalog
from engine.loading.transcripts import Bot, Expectation, Notices, Step, Transcript
from engine.settings import Settings
from engine.transcripts.player import Stage, staged
from engine.transcripts.results import Different


async def rehearse(
    transcript: Transcript, *, settings: Settings, catalog: Catalog, environment: Mapping[str, str] | None = None
) -> Transcript | None:
    """The same inputs, each with what the bot says to it. None: it says something else than the transcript has.

    Raises FlowsFaulty.
    """
    arranged: list[Step] = []
    try:
        async with staged(transcript, settings=settings, catalog=catalog, environment=environment) as stage:
            for step in transcript.steps:
                if isinstance(step, Expectation):
                    await _patiently(stage, transcript, arranged)
                    continue
                await stage.do(step)
                arranged += [step, *_said(stage)]
            await stage.settle()
            arranged += _said(stage)
    except Different:
        return None
    same = _content(transcript.steps) == _content(arranged)
    return replace(transcript, steps=tuple(arranged)) if same else None


async def _patiently(stage: Stage, transcript: Transcript, arranged: list[Step]) -> None:
    """The transcript has an answer here: while there are fewer, wait for calls that are to be tried again."""
    at = sum(not isinstance(step, Expectation) for step in arranged)
    wanted = len(list(_before(transcript.steps, at)))
    while sum(isinstance(step, Expectation) for step in arranged) < wanted and await stage.next_try():
        arranged += _said(stage)


def _before(steps: Sequence[Step], inputs: int) -> Iterator[Step]:
    """The expectations up to the input after this many."""
    for step in steps:
        if isinstance(step, Expectation):
            yield step
        elif inputs == 0:
            return
        else:
            inputs -= 1


def _said(stage: Stage) -> list[Step]:
    said: list[Step] = [*map(_plain, stage.screen.bot), *stage.screen.notices]
    stage.screen.bot.clear()
    stage.screen.notices.clear()
    return said


def _plain(said: Bot) -> Bot:
    """As the recorder writes a message."""
    rows = tuple(tuple(replace(button, url=None) for button in row) for row in said.buttons or ())
    return replace(said, buttons=rows or None)


def _content(steps: Sequence[Step]) -> list[str]:
    """What was said, in no order."""
    return sorted(
        repr(step.text) if isinstance(step, Notices) else repr((step.text, step.buttons, step.edit))
        for step in steps
        if isinstance(step, Bot | Notices)
    )
