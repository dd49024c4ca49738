"""What can be known before the bot starts: one function per code (or tight family), each pure, listed in one table.

`check` is the only door. Nothing here reads files or runs a flow.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from engine.actions.catalog import Catalog
from engine.core.model import Bot, Flow
from engine.diagnostics import Diagnostic
from engine.loading.documents import Document
from engine.loading.rules import arguments, limits, names, paths, questions, references, timers
from engine.loading.rules.checked import Checked, prepare

Rule = Callable[[Checked], Iterator[Diagnostic]]

RULES: tuple[Rule, ...] = (
    references.unknown_steps,
    references.unknown_flows,
    references.unknown_triggers,
    references.unknown_undone,
    references.unknown_plugins,
    references.unknown_filters,
    references.unknown_roles,
    references.unknown_policies,
    references.edit_targets,
    references.deep_link_arguments,
    references.unknown_money,
    arguments.missing_arguments,
    arguments.unknown_arguments,
    arguments.wrong_arguments,
    arguments.open_outcomes,
    arguments.missing_failed,
    arguments.pointless_retry,
    arguments.unfit_validators,
    arguments.impossible_validators,
    arguments.mixed_saves,
    arguments.required_at_the_door,
    paths.unreachable,
    paths.no_way_to_an_end,
    paths.falls_off,
    paths.circles,
    paths.edit_into_final,
    paths.recursion,
    paths.no_way_out,
    timers.timeouts,
    timers.unknown_hours,
    timers.skipped_for_ever,
    timers.unfound,
    paths.shadowed,
    paths.never_started,
    questions.no_options,
    questions.duplicates,
    questions.wrong_keyboards,
    questions.impossible_bounds,
    names.expression_faults,
    names.constant_conditions,
    names.undeclared,
    names.wrong_values,
    names.identities,
    names.unidentified_rows,
    names.unlike_results,
    names.unused_data,
    limits.command_names,
    limits.commands_once,
    limits.menu_titles,
    limits.button_texts,
    limits.keyboard_sizes,
    limits.callback_sizes,
    limits.text_sizes,
    limits.html,
    limits.deep_links,
    limits.link_schemes,
    limits.one_name,
)


def check(flows: Sequence[Flow], bot: Bot, catalog: Catalog, documents: Mapping[str, Document]) -> list[Diagnostic]:
    """Every finding of every rule, sorted by place, each once. `documents` (by path) makes places exact."""
    if not flows:
        return []
    checked = prepare(flows, bot, catalog, documents)
    found = {finding for rule in RULES for finding in rule(checked)}
    return sorted(found, key=Diagnostic.sort_key)
