"""Every form of every key of a step, from YAML to the model."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from engine.core import model as m
from tests.loading.reading import brief, flow, step, step_faults


def sources(buttons):
    return [[(b.text.source, b.trigger) for b in row] for row in buttons]


def question(text):
    body = step(text).body
    assert isinstance(body, m.Ask)
    return body.question


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask: choice\ntext: x\nkeyboard: {a: A}", m.Choice()),
        ("ask: text\ntext: x", m.Text()),
        ("ask: integer\ntext: x\nmin: 1\nmax: 9", m.Number(minimum=Decimal(1), maximum=Decimal(9))),
        ("ask: decimal\ntext: x\nmin: 0.5", m.Number(decimal=True, minimum=Decimal("0.5"))),
        ("ask: money\ntext: x\ncurrency: USD\nmax: 10", m.MoneyAmount(currency="USD", maximum=Decimal(10))),
        ("ask: email\ntext: x", m.Email()),
        ("ask: phone\ntext: x\nregion: PL", m.Phone(region="PL")),
        ("ask: location\ntext: x", m.Location()),
        ("ask: file\ntext: x\naccept: [.STL]\nmax_size: 5 MB", m.File(accept=(".stl",), max_size=5 * 1024**2)),
        ("ask: file\ntext: x\naccept: .pdf", m.File(accept=(".pdf",))),
        ("ask: photo\ntext: x", m.File(photo=True)),
        ("ask: files\ntext: x\ncount: {min: 0, max: 3}", m.Files(minimum=0, maximum=3)),
        ("ask: photos\ntext: x", m.Files(photo=True)),
        ("ask: date\ntext: x\nmin: 2026-01-31", m.Day(minimum=date(2026, 1, 31))),
        ("ask: yes_no\ntext: x", m.YesNo()),
        ("ask: quantity\ntext: x\nmin: 0\nmax: 10\nstep: 2\nstart: 4",
         m.Quantity(minimum=0, maximum=10, step=2, start=4)),
        ("ask: quantity\ntext: x", m.Quantity()),
    ],
)  # fmt: skip
def test_questions(text, expected):
    assert question(text) == expected


def test_questions_with_texts_and_expressions():
    several = question("ask: choices\ntext: x\nkeyboard: {a: A, b: B}\nmin: 1\nmax: 2\ndone: Ready")
    assert (several.minimum, several.maximum, several.done.source) == (1, 2, "Ready")
    day = question("ask: date\ntext: x\nmax: now + settings.horizon")
    assert day.maximum.source == "now + settings.horizon"
    amount = question("ask: quantity\ntext: x\nmax: product.stock")
    assert amount.maximum.source == "product.stock"
    yes = question("ask: yes_no\ntext: x\nyes: Of course\nno: No")
    assert (yes.yes.source, yes.no.source) == ("Of course", "No")
    files = question("ask: files\ntext: x\neach: {do: print3d.upload, with: {file: file}}\ndone: That's all")
    assert (files.each.name, files.each.arguments[0].name, files.done.source) == (
        "print3d.upload",
        "file",
        "That's all",
    )
    assert question("ask: file\ntext: x\neach: print3d.upload").each.name == "print3d.upload"


def test_what_every_question_can_have():
    found = step("ask: text\ntext: x\nlabel: Name\noptional: Skip\nprefill: customer.name\nsave: contact.name\n"
                 "final: true\nif: total > 3\nonly: [staff, owner]\ntimeout: 10m\nrefresh: 1m")  # fmt: skip
    body = found.body
    assert (body.kind, body.optional.source, body.prefill.source) == ("text", "Skip", "customer.name")
    assert (found.save, found.target, found.save_span.column) == (("contact", "name"), ("contact", "name"), 11)
    assert (found.final, found.condition.source, [n for n, _ in found.only]) == (True, "total > 3", ["staff", "owner"])
    assert (found.timeout.after, found.refresh) == (timedelta(minutes=10), timedelta(minutes=1))
    assert found.label.source == "Name"
    plain = step("ask: text\ntext: x\nonly: staff")
    assert (plain.final, plain.save, plain.target, plain.only[0][0], plain.following) == (
        False,
        None,
        ("s",),
        "staff",
        "last",
    )


def test_validators():
    found = step("""
        ask: text
        text: x
        validators:
          - trimmed
          - length: {min: 2, max: '{{ settings.longest }}'}
          - pattern: "^a"
            message: "Only a, {{ customer.name }}"
          - one_of: [a, b]
    """).body.validators
    assert [v.invocation.name for v in found] == ["trimmed", "length", "pattern", "one_of"]
    low, high = found[1].invocation.arguments
    assert (low.name, low.value.value, high.value.source) == ("min", 2, "settings.longest")
    first = found[2].invocation.arguments[0]
    assert (first.name, first.value.value, found[2].message.source) == ("", "^a", "Only a, {{ customer.name }}")
    assert [i.value for i in found[3].invocation.arguments[0].value.items] == ["a", "b"]


def test_the_one_argument_of_a_known_validator_gets_its_name():
    from engine.actions.catalog import Catalog, Parameter, ValidatorSignature
    from engine.core.types import TEXT

    known = ValidatorSignature(
        name="pattern",
        doc="",
        parameters=(Parameter(name="regex", type=TEXT, required=True),),
        accepts=TEXT,
        function=lambda value, *, regex: None,
    )
    found = step('ask: text\ntext: x\nvalidators: [{pattern: "^a"}]', Catalog(validators={"pattern": known}))
    assert found.body.validators[0].invocation.arguments[0].name == "regex"


def test_keyboard_of_options():
    keys = step("ask: choice\ntext: x\nkeyboard: {pla: PLA, '15': 15, ship: {text: Ship, if: settings.ships}}").keyboard
    assert [(o.value, o.text.source) for o in keys.options] == [("pla", "PLA"), ("15", "15"), ("ship", "Ship")]
    assert keys.options[2].condition.source == "settings.ships"
    assert keys.options[0].span.column == 16
    assert (keys.columns, keys.page, keys.search, keys.source, keys.rows) == (1, None, False, None, ())


def test_keyboard_from_a_source():
    keys = step("""
        ask: choice
        text: x
        keyboard:
          from: shop.products
          with: {category: category.id, limit: 5}
          text: "{{ option.name }}"
          value: option.id
          page: 6
          columns: 2
          search: true
          empty: Nothing here.
          rows: [[{text: None, trigger: none}]]
    """).keyboard
    source = keys.source
    assert (source.source.name, [a.name for a in source.source.arguments]) == ("shop.products", ["category", "limit"])
    assert (source.text.source, source.value.source, source.empty.source) == (
        "{{ option.name }}",
        "option.id",
        "Nothing here.",
    )
    assert (keys.page, keys.columns, keys.search, sources(keys.rows)) == (6, 2, True, [[("None", "none")]])
    short = step("ask: choice\ntext: x\nkeyboard: {from: shop.names}").keyboard.source
    assert (short.text.source, short.value) == ("{{ option }}", None)


def test_keyboard_of_a_list():
    keys = step("ask: choice\ntext: x\nkeyboard: {items: free.json.times, value: option.id, page: 6}").keyboard
    assert (keys.source.source, keys.source.items.source, keys.source.items.span.column) == (
        None,
        "free.json.times",
        23,
    )
    assert (keys.source.text.source, keys.source.value.source, keys.page) == ("{{ option }}", "option.id", 6)


def test_keyboard_with_options_and_settings():
    keys = step(
        "ask: choice\ntext: x\nkeyboard: {options: {a: A}, columns: 3, rows: [[{text: B, trigger: b}]]}"
    ).keyboard
    assert ([o.value for o in keys.options], keys.columns, sources(keys.rows)) == (["a"], 3, [[("B", "b")]])


def test_keyboard_of_rows():
    keys = step("""
        text: x
        keyboard:
          - [{text: Order, trigger: order, if: total > 0}, {text: Web, url: "https://example.com/{{ id }}"}]
          - [{text: Change, edit: [name, email]}, {text: One, edit: name}, {text: Other, start: help, only: staff}]
    """).keyboard
    (order, web), (change, one, other) = keys.rows
    assert (order.trigger, order.condition.source) == ("order", "total > 0")
    assert web.url.source == "https://example.com/{{ id }}"
    assert [n for n, _ in change.edit] == ["name", "email"]
    assert [n for n, _ in one.edit] == ["name"]
    assert (other.start[0], other.only[0][0]) == ("help", "staff")


def ways(found):
    return [
        (w.trigger, w.target, w.condition and w.condition.source, w.text and w.text.source) for w in found.transitions
    ]


def test_transitions():
    assert ways(step("text: x\ntransitions: last")) == [("", "last", None, None)]
    assert ways(step("text: x\ntransitions: {next: last}")) == [("next", "last", None, None)]
    assert ways(step("text: x\ntransitions: [{if: a, to: s}, last]")) == [
        ("", "s", "a", None),
        ("", "last", None, None),
    ]
    several = step(
        "text: x\ntransitions: {next: [{if: a, to: s, text: Again}, last], timeout: {to: last}}\ntimeout: 5m"
    )
    assert ways(several) == [("next", "s", "a", "Again"), ("next", "last", None, None), ("timeout", "last", None, None)]


def test_set():
    found = step(
        "text: x\ntransitions: {next: {to: last, set: {score: score + 1, a.b: 'text {{ c }}', n: 5, l: [x, 1]}}}"
    )
    first, second, third, fourth = found.transitions[0].assignments
    assert (first.path, first.value.source) == (("score",), "score + 1")
    assert (second.path, isinstance(second.value, m.Template)) == (("a", "b"), True)
    assert third.value.value == 5
    assert isinstance(fourth.value, m.ArgumentList)


def test_do():
    found = step("""
        do: shop.pay
        with: {order: order.id, note: "For {{ customer.name }}", lines: [{n: 1}], fast: true, none: ~, alone: "{{ x }}"}
        save: payment
        retry: {attempts: 5, first: 2s, factor: 1.5, longest: 1m}
        undo: {do: shop.refund, with: {payment: result.id}}
        timeout: 10s
        transitions: {failed: last}
    """)
    do = found.body
    arguments = {a.name: a.value for a in do.action.arguments}
    assert (do.action.name, do.action.span.column) == ("shop.pay", 9)
    assert isinstance(arguments["order"], m.Expression)
    assert isinstance(arguments["note"], m.Template)
    assert arguments["lines"].items[0].items[0][1].value == 1
    assert (arguments["fast"].value, arguments["none"].value, arguments["alone"].source) == (True, None, "{{ x }}")
    assert do.retry == m.Retry(attempts=5, first=timedelta(seconds=2), factor=1.5, longest=timedelta(minutes=1))
    assert (do.undo.name, do.undo.arguments[0].value.source) == ("shop.refund", "result.id")
    assert (do.timeout, found.timeout) == (timedelta(seconds=10), None)
    short = step("do: shop.pay\nretry: patient\nundo: shop.refund\ntimeout: 3")
    assert (short.body.retry[0], short.body.undo.name, short.body.timeout) == (
        "patient",
        "shop.refund",
        timedelta(seconds=3),
    )


def test_undo_after():
    several = step("do: shop.pay\nundo: {do: shop.refund, after: [paid, half_paid]}").body
    assert [name for name, _ in several.undo_after] == ["paid", "half_paid"]
    assert several.undo_after[0][1].column == 37
    assert [name for name, _ in step("do: a.b\nundo: {do: a.c, after: paid}").body.undo_after] == ["paid"]
    assert step("do: a.b\nundo: a.c").body.undo_after == ()


def test_wait():
    found = step("""
        text: x
        photo: {qr: invoice.uri}
        wait:
          payment.settled: last
          payment.partial: {to: s, text: Too little, if: a, set: {b: 1}}
          order.cancelled: [{if: a, to: s}, last]
          until: {time: order.expires_at, to: last, text: Late}
        keyboard: [[{text: Stop, trigger: stop}]]
        transitions: {stop: last}
    """)
    assert [name for name, _ in found.body.signals] == ["payment.settled", "payment.partial", "order.cancelled"]
    assert [w.trigger for w in found.transitions] == [
        "payment.settled", "payment.partial", "order.cancelled", "order.cancelled", "timeout", "stop",
    ]  # fmt: skip
    assert (found.timeout.until.source, found.timeout.after) == ("order.expires_at", None)
    assert (found.photo.kind, found.photo.content.source) == ("qr", "invoice.uri")
    after = step("text: x\nwait: {paid: last, after: {time: 2h, to: last}}")
    assert after.timeout.after == timedelta(hours=2)
    own = step("text: x\nwait: {paid: last}\ntimeout: {until: order.expires_at}\ntransitions: {timeout: last}")
    assert own.timeout.until.source == "order.expires_at"


def test_time_limits_with_hours_and_a_policy():
    plain = step("text: x\nwait: {paid: last}\ntimeout: 2h\ntransitions: {timeout: last}").timeout
    assert (plain.after, plain.hours, plain.late) == (timedelta(hours=2), None, None)
    own = step("text: x\nwait: {paid: last}\ntimeout: {after: 2h, hours: shop, late: skip}\n"
               "transitions: {timeout: last}").timeout  # fmt: skip
    assert (own.after, own.hours[0], own.late) == (timedelta(hours=2), "shop", m.Late(skip=True))
    late = "{grace: 10m, then: 1h}"
    clock = step(f"text: x\nwait: {{paid: last, until: {{time: a, to: last, hours: shop, late: {late}}}}}").timeout
    assert (clock.until.source, clock.hours[0]) == ("a", "shop")
    assert clock.late == m.Late(grace=timedelta(minutes=10), more=timedelta(hours=1))
    head = "flow: f\nlate: {late}\nsteps:\n  s: {{end: completed}}\n"
    assert flow(head.format(late="90m")).late == m.Late(more=timedelta(minutes=90))
    assert flow(head.format(late="{grace: 1h, then: fire}")).late == m.Late(grace=timedelta(hours=1))
    assert flow(head.format(late="fire")).late == m.Late()


@pytest.mark.parametrize(
    ("timeout", "code"),
    [
        ("{after: 2h, until: now}", "F0209"),
        ("{hours: shop}", "F0209"),
        ("{}", "F0209"),
        ("{after: 2 hours}", "F0205"),
        ("{after: 2h, late: later}", "F0205"),
        ("{after: 2h, late: {grace: 10m}}", "F0202"),
        ("{after: 2h, late: {then: skip, more: 1h}}", "F0201"),
        ("{after: 2h, late: true}", "F0203"),
        ("{after: 2h, hours: [shop]}", "F0203"),
    ],
)
def test_time_limits_in_the_wrong_form(timeout, code):
    found = step_faults(f"text: x\nwait: {{paid: last}}\ntimeout: {timeout}\ntransitions: {{timeout: last}}")
    assert [one.code for one in found] == [code]


def test_two_time_limits_are_one_too_many():
    both = "text: x\nwait:\n  paid: last\n  until: {time: a, to: last}\n  after: {time: 1h, to: last}"
    assert brief(step_faults(both)) == [("F0213", 8, 7)]
    assert brief(step_faults("text: x\ntimeout: 1h\nwait:\n  paid: last\n  after: {time: 1h, to: last}")) == [
        ("F0213", 5, 5)
    ]


def test_call_end_show_and_pictures():
    call = step("call: pick\nwith: {country: '''PL'''}\nsave: address").body
    assert (call.flow, call.flow_span.column, call.arguments[0].value.source) == ("pick", 11, "'PL'")
    assert step("end: completed").body == m.End(outcome="completed")
    ended = step("text: Done\nend: {outcome: chosen, result: {id: x.id}}").body
    assert (ended.outcome, ended.result.items[0][0]) == ("chosen", "id")
    assert step("end: {result: x}").body.outcome == "completed"
    assert step("text: Hi").body == m.Show()
    path, value = step("text: x\nphoto: {file: logo.png}").photo, step("text: x\nphoto: product.image").photo
    assert (path.kind, path.content.source, value.kind, value.content.source) == (
        "path",
        "logo.png",
        "value",
        "product.image",
    )
    assert isinstance(step("text: x\nphoto: 'https://example.com/{{ id }}.png'").photo.content, m.Template)
    assert isinstance(step("text: x\nphoto: {qr: 'pay:{{ id }}'}").photo.content, m.Template)


def test_texts_lose_the_last_line_break_and_keep_their_place():
    found = step("text: |\n  One\n  {{ two }}\n").text
    assert (found.source, found.block, found.indent, found.span.line) == ("One\n{{ two }}", True, 6, 4)
    quoted = step("text: '{{ two }}'").text
    assert (quoted.source, quoted.span.column) == ("{{ two }}", 12)


def test_the_step_below():
    steps = flow("flow: f\nsteps:\n  a: {text: x}\n  b: {text: y}\n  c: {end: done}\n").steps
    assert [(s.id, s.following, s.span.line) for s in steps] == [("a", "b", 3), ("b", "c", 4), ("c", None, 5)]


@pytest.mark.parametrize("name", ["customer", "chat", "settings", "now", "option", "answer", "outcome", "failure",
                                  "file", "result", "loop"])  # fmt: skip
def test_reserved_names(name):
    from tests.loading.reading import faults

    assert brief(faults(f"flow: f\nsteps:\n  {name}: {{end: done}}\n")) == [("F0208", 3, 3)]
    assert brief(step_faults(f"ask: text\ntext: x\nsave: {name}.x")) == [("F0208", 6, 11)]
