"""Everything the rules look at, computed once: flows by name, the graph and the known names of each, all texts and
expressions with their types. A rule reads this and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.actions.catalog import Catalog, Parameter, Written
from engine.core.arguments import interpret
from engine.core.expressions import Fault, Parsed, infer
from engine.core.expressions.nodes import Print
from engine.core.model import (
    Argument,
    ArgumentList,
    ArgumentMap,
    Bot,
    Call,
    End,
    Expression,
    Flow,
    Literal,
    Template,
)
from engine.core.types import (
    ANY,
    BOOLEAN,
    DECIMAL,
    INTEGER,
    NOTHING,
    ListType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
)
from engine.diagnostics import Span
from engine.loading.documents import Document, locate
from engine.loading.rules.answers import Results
from engine.loading.rules.joins import join_all
from engine.loading.rules.proving import parse
from engine.loading.rules.scopes import Scope
from engine.loading.rules.sites import Site, Sites
from engine.loading.rules.uses import Given, Usage, Uses
from engine.loading.rules.view import FlowView, view_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A text or expression with what became of it: its type, or its faults."""

    piece: Expression | Template
    parsed: Parsed | None
    type: ValueType
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedArgument:
    """A value with its type, and every piece in it."""

    type: ValueType
    span: Span
    pieces: tuple[Judged, ...]

    @property
    def sound(self) -> bool:
        return not any(piece.faults for piece in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One parameter and what it was given."""

    parameter: Parameter
    argument: JudgedArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedUsage:
    usage: Usage
    filled: tuple[Filled, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFlow:
    """One flow with all that is known about it."""

    flow: Flow
    view: FlowView
    sites: tuple[tuple[Site, Judged], ...]
    values: tuple[tuple[Given, JudgedArgument], ...]
    usages: tuple[JudgedUsage, ...]

    def pieces(self) -> Iterator[Judged]:
        """Every text and expression of the flow, arguments included."""
        for _, judged in self.sites:
            yield judged
        for _, argument in self.values:
            yield from argument.pieces
        for usage in self.usages:
            for filled in usage.filled:
                yield from filled.argument.pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is checked together: the flows of one bot."""

    flows: tuple[Flow, ...]
    """As given: two of them may have one name."""
    by_name: Mapping[str, Flow]
    judged: tuple[JudgedFlow, ...]
    bot: Bot
    catalog: Catalog
    documents: Mapping[str, Document]

    def place(self, piece: Expression | Template, offset: int, length: int) -> Span:
        """Where a part of a text or expression stands in its file."""
        return locate(piece, offset, length, self.documents.get(piece.span.file))


def prepare(flows: Sequence[Flow], bot: Bot, catalog: Catalog, documents: Mapping[str, Document]) -> Checked:
    """Work out everything the rules need."""
    by_name: dict[str, Flow] = {}
    for flow in flows:
        by_name.setdefault(flow.name, flow)
    builder = _Builder(bot=bot, catalog=catalog, by_name=by_name)
    return Checked(
        flows=tuple(flows),
        by_name=by_name,
        judged=tuple(builder.judged(flow) for flow in flows),
        bot=bot,
        catalog=catalog,
        documents=documents,
    )


class _Builder:
    """Orders the work: a flow's results are needed before the flows that call it can be judged."""

    __slots__ = ("_bot", "_by_name", "_catalog", "_open", "_results")

    def __init__(self, *, bot: Bot, catalog: Catalog, by_name: Mapping[str, Flow]) -> None:
        self._bot = bot
        self._catalog = catalog
        self._by_name = by_name
        self._results: dict[str, Results] = {}
        self._open: set[str] = set()

    def judged(self, flow: Flow) -> JudgedFlow:
        view = self._view(flow)
        uses = Uses(view, self._bot, self._by_name)
        sites = Sites(view, self._bot, self._by_name)
        return JudgedFlow(
            flow=flow,
            view=view,
            sites=tuple((site, judge(site.piece, site.scope)) for site in sites.sites()),
            values=tuple((given, _judge_given(given)) for given in uses.values()),
            usages=tuple(judge_usage(usage) for usage in uses.usages()),
        )

    def _view(self, flow: Flow) -> FlowView:
        called = {step.body.flow for step in flow.steps if isinstance(step.body, Call)}
        found = {name: self._results_of(name) for name in sorted(called)}
        results = {name: known for name, known in found.items() if known is not None}
        return view_of(flow, catalog=self._catalog, flows=self._by_name, results=results)

    def _results_of(self, name: str) -> Results | None:
        """What a flow gives per outcome; None for one that does not exist, or that calls itself."""
        if name in self._results:
            return self._results[name]
        flow = self._by_name.get(name)
        if flow is None or name in self._open:
            return None
        self._open.add(name)
        found: dict[str, list[ValueType]] = {}
        for given in Uses(self._view(flow), self._bot, self._by_name).values():
            if given.step is not None and isinstance(given.step.body, End) and given.wanted is None:
                found.setdefault(given.step.body.outcome, []).append(_judge_given(given).type)
        self._open.discard(name)
        self._results[name] = {outcome: join_all(kinds) or ANY for outcome, kinds in found.items()}
        return self._results[name]


# --- types of pieces ----------------------------------------------------------------------------------


def judge(piece: Expression | Template, scope: Scope, *, native: bool = False) -> Judged:
    """The type of a text or expression where `scope` can be seen.

    `native`: a text that is exactly one `{{ … }}` keeps the type of what is in it.
    """
    parsed = parse(piece.source, template=isinstance(piece, Template))
    if isinstance(parsed, Fault):
        return Judged(piece=piece, parsed=None, type=ANY, faults=(parsed,))
    whole = parsed.pieces[0] if native and parsed.single else None
    meant = replace(parsed, expression=whole.value, pieces=()) if isinstance(whole, Print) else parsed
    inferred = infer(meant, scope.names, scope.extra)
    return Judged(piece=piece, parsed=parsed, type=inferred.type, faults=inferred.faults)


def _judge_given(given: Given) -> JudgedArgument:
    return judge_argument(given.argument, given.wanted or ANY, Written.EXPRESSION, given.scope)


def judge_usage(usage: Usage) -> JudgedUsage:
    """The types of all arguments that there are parameters for."""
    parameters = usage.parameters or ()
    known = {parameter.name: parameter for parameter in parameters}
    filled = []
    for argument in usage.arguments:
        parameter = known.get(argument.name) or direct(argument.name, parameters)
        if parameter is None:
            parameter = Parameter(name=argument.name, type=ANY, required=False)
            if usage.parameters is not None:
                continue
        judged = judge_argument(argument.value, parameter.type, parameter.written, usage.scope)
        filled.append(Filled(parameter=parameter, argument=judged))
    return JudgedUsage(usage=usage, filled=tuple(filled))


def direct(name: str, parameters: Sequence[Parameter]) -> Parameter | None:
    """The parameter that a value without a name is for: `pattern: "…"`."""
    if name:
        return None
    marked = [parameter for parameter in parameters if parameter.direct] or list(parameters)
    return marked[0] if marked else None


def judge_argument(argument: Argument, wanted: ValueType, written: Written, scope: Scope) -> JudgedArgument:
    """The type of a value as its parameter takes it."""
    meant = interpret(argument, wanted, template=written is Written.TEMPLATE)
    match meant:
        case Literal(value=constant, span=span):
            return JudgedArgument(type=_literal_type(constant), span=span, pieces=())
        case Expression(span=span) | Template(span=span):
            judged = judge(meant, scope, native=written is not Written.TEMPLATE)
            return JudgedArgument(type=judged.type, span=span, pieces=(judged,))
        case ArgumentList(items=items, span=span):
            inner = _bare(wanted)
            item_type = inner.item if isinstance(inner, ListType) else ANY
            parts = [judge_argument(item, item_type, written, scope) for item in items]
            kind = join_all([part.type for part in parts]) or ANY
            return JudgedArgument(type=ListType(item=kind), span=span, pieces=_pieces(parts))
        case ArgumentMap(items=pairs, span=span):
            inner = _bare(wanted)
            fields = inner.fields if isinstance(inner, RecordType) else {}
            named = {name: judge_argument(item, fields.get(name, ANY), written, scope) for name, item in pairs}
            kind = RecordType(name="value", fields={name: part.type for name, part in named.items()})
            return JudgedArgument(type=kind, span=span, pieces=_pieces(list(named.values())))


def _bare(kind: ValueType) -> ValueType:
    return kind.inner if isinstance(kind, OptionalType) else kind


def _pieces(parts: Sequence[JudgedArgument]) -> tuple[Judged, ...]:
    return tuple(piece for part in parts for piece in part.pieces)


def _literal_type(constant: str | int | Decimal | bool | None) -> ValueType:
    match constant:
        case None:
            return NOTHING
        case bool():
            return BOOLEAN
        case int():
            return INTEGER
        case Decimal():
            return DECIMAL
        case str():
            return TextType(choices=frozenset({constant}))
