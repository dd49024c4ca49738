"""Flows that the runtime's tests walk through."""

ORDER = """
flow: order
title: Order
entry: {commands: [order]}
expires: 24h
steps:
  name:
    ask: text
    text: Name?
  colour:
    ask: choice
    text: Colour?
    keyboard: {red: Red, blue: Blue}
  bye:
    text: "Bye {{ name }}, {{ colour }}"
    end: completed
"""

HELP = """
flow: help
title: Help
entry: {commands: [help]}
steps:
  bye:
    text: Here is help.
    end: completed
"""

PAY = """
flow: pay
title: Payment
entry: {commands: [pay]}
key: number
steps:
  number:
    ask: text
    text: Which order?
  hold:
    text: Waiting for the money.
    wait:
      settled: {to: rating}
    keyboard: [[{text: Give up, trigger: given_up}]]
    transitions: {given_up: over}
  rating:
    ask: text
    text: How was it?
    transitions: thanks
  over:
    text: Given up.
    end: given_up
  thanks:
    text: Thanks for {{ rating }}
    end: completed
"""

SLOW = """
flow: slow
title: Slow
entry: {commands: [slow]}
steps:
  hurry:
    ask: text
    text: Quick!
    timeout: 5m
    transitions: {answered: done, timeout: late}
  late:
    text: Too late.
    end: late
  done:
    text: In time.
    end: completed
"""

CALLING = """
flow: calling
title: Calling
entry: {commands: [call]}
steps:
  what:
    ask: text
    text: What?
  place:
    do: shop.place
    with: {what: what}
    retry: {attempts: 3, first: 10s, factor: 2}
    transitions:
      placed: done
      rejected: {to: what, text: "No: {{ outcome.reason }}"}
      failed: {to: what, text: "Broken: {{ failure.kind }}"}
  done:
    text: "Placed {{ place.number }}"
    end: completed
"""
