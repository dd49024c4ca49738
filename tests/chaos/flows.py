"""The flows that the chaos customers walk: everything durable is in them. Texts only."""

BOT = """
bot: Chaos
languages: [en]
retry:
  default: {attempts: 12, first: 2s, factor: 1}
"""

BUY = """
flow: buy
title: Buy
entry: {commands: [buy]}
key: who.ref
expires: 6h30m
second_start: parallel
steps:
  what:
    ask: choice
    text: Which one?
    keyboard: {mug: Mug, lamp: Lamp}
  who:
    call: contact
    with: {item: what}
  ready:
    text: "One {{ what }}, shall I take it from the shelf?"
    keyboard: [[{text: Take it, trigger: take}]]
    transitions: {take: hold}
  hold:
    do: shop.take
    with: {item: what, ref: who.ref}
    undo: {do: shop.give_back, with: {ref: result.ref}, after: taken}
    transitions: {sold_out: none_left, failed: {to: ready, text: "Again, please."}}
  sure:
    ask: choice
    text: "Order a {{ what }} for {{ who.name }}, {{ who.ref }}?"
    keyboard: [[{text: Order, trigger: order}]]
    transitions: {order: charge}
  charge:
    do: shop.charge
    with: {item: what, ref: who.ref}
    undo: {do: shop.refund, with: {ref: result.ref, receipt: result.receipt}, after: charged}
    transitions: {failed: {to: sure, text: "Again, please."}}
  wish:
    ask: text
    text: "Paid, receipt {{ charge.receipt }}. Any wish?"
  parcel:
    text: "We pack the {{ what }} for {{ who.name }}."
    keyboard: [[{text: Give up, trigger: give_up}]]
    refresh: 2h30m
    wait:
      parcel.packed: {to: parcel, text: "Packed by {{ outcome.by }}."}
      parcel.sent: sent
      after: {time: 4h30m, to: late}
    transitions: {give_up: dropped}
  sent:
    text: "On its way, {{ parcel.code }}."
  rating:
    ask: text
    text: How was it?
    transitions: thanks
  late:
    ask: text
    text: Sorry, this took too long. What shall we do?
    transitions: thanks
  none_left:
    text: None left.
    end: sold_out
  dropped:
    text: As you like.
    end: dropped
  thanks:
    text: "Thank you, {{ who.name }}!"
    end: completed
"""

CONTACT = """
flow: contact
title: Contact
arguments: {item: text}
steps:
  name:
    ask: text
    text: "A {{ item }} for whom?"
  ref:
    ask: text
    text: Under which reference?
  done:
    end: {outcome: given, result: {name: name, ref: ref}}
"""

TALK = """
flow: talk
title: Talk
entry: {commands: [talk]}
steps:
  about:
    ask: text
    text: What is it about?
    timeout: 4h30m
    transitions: {timeout: late, answered: heard}
  late:
    text: Another time, then.
    end: late
  heard:
    text: "I heard: {{ about }}"
    end: completed
"""

RING = """
flow: ring
title: Ring
entry: {commands: [ring]}
second_start: parallel
steps:
  bell:
    do: shop.ring
    transitions: {failed: nobody}
  rang:
    text: "It rang: {{ bell.tone }}"
    end: completed
  nobody:
    text: Nobody hears it.
    end: failed
"""

DELIVER = """
flow: deliver
title: Deliver
entry: {commands: [deliver]}
steps:
  which:
    ask: text
    text: Which order is on its way?
  packed:
    do: shop.pack
    with: {ref: which}
    transitions: {failed: {to: which, text: "Again, please."}}
  ready:
    text: It is packed.
    keyboard: [[{text: Send it, trigger: send}]]
    transitions: {send: send}
  send:
    do: shop.dispatch
    with: {ref: which}
    transitions: {failed: {to: ready, text: "Again, please."}}
  done:
    text: "Told about {{ which }}: {{ send.code }}"
    end: completed
"""

FLOWS = {
    "bot.yaml": BOT,
    "buy.yaml": BUY,
    "contact.yaml": CONTACT,
    "talk.yaml": TALK,
    "ring.yaml": RING,
    "deliver.yaml": DELIVER,
}
