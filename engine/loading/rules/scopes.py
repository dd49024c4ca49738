"""Which names can be seen where: at a step, and on each way out of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce

from engine.actions.catalog import Catalog
from engine.core.model import (
    Bot,
    Flow,
    Step,
    Transition,
)
from engine.core.types import (
    BOOLEAN,
    CHAT,
    CUSTOMER,
    DATE,
    DATETIME,
    RecordType,
    ValueType,
)
from engine.loading.rules.answers import seen_on_the_way
from engine.loading.rules.joins import join_names
from engine.loading.rules.triggers import Exit
from engine.loading.rules.view import FlowView

_CALENDAR = RecordType(name="working hours", fields={"open": BOOLEAN, "opens": DATETIME, "closes": DATETIME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The names that can be seen at one place."""

    names: Mapping[str, ValueType]
    extra: Mapping[str, ValueType] = field(default_factory=dict)

    def plus(self, **extra: ValueType) -> "Scope":
        return Scope(names=self.names, extra={**self.extra, **extra})

    def meet(self, other: "Scope") -> "Scope":
        """What can be seen at a place that two ways lead to."""
        return Scope(names=join_names(self.names, other.names), extra=join_names(self.extra, other.extra))


class Places:
    """The places of one flow, with what can be seen there. What stands at them is listed by its heirs."""

    __slots__ = ("_base", "catalog", "flows", "view")

    def __init__(self, view: FlowView, bot: Bot, flows: Mapping[str, Flow]) -> None:
        self.view = view
        self.catalog: Catalog = view.catalog
        self.flows = flows
        self._base: dict[str, ValueType] = {
            "customer": CUSTOMER,
            "chat": CHAT,
            "settings": RecordType(name="settings", fields=bot.setting_types),
            "now": DATETIME,
            "today": DATE,
            "hours": RecordType(name="hours", fields=dict.fromkeys(bot.hours, _CALENDAR)),
        }

    def scope(self, names: Mapping[str, ValueType], **extra: ValueType) -> Scope:
        return Scope(names={**names, **self._base}, extra=extra)

    def ways(self, step: Step) -> Iterator[tuple[Transition, Scope, Scope]]:
        for transition in step.transitions:
            ways = [way for way in self.view.exits[step.id] if way.transition is transition]
            if not ways:
                ways = [Exit(trigger=transition.trigger, target=transition.target, transition=transition)]
            deciding, after = zip(*(self._leaving(step, way) for way in ways), strict=True)
            yield transition, reduce(Scope.meet, deciding), reduce(Scope.meet, after)

    def _leaving(self, step: Step, way: Exit) -> tuple[Scope, Scope]:
        names = self.view.paths_in(step)
        seen = seen_on_the_way(step, way.trigger, self.catalog, self.view.results, names)
        deciding, after = self.view.names_after(step, way)
        return self.scope(deciding, **seen), self.scope(after, **seen)
