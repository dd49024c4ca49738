"""The shop that is crashed: real plugins, a short checkout of its own, news beside it. Texts only.

No text here has anything random in it but an address, and no moment: those differ from run to run.
"""

BOT = """
bot: Chaos shop
languages: [en]
currency: EUR
roles: {admin: [190]}
retry:
  default: {attempts: 12, first: 2s, factor: 1}
plugins:
  shop:
    open_orders: 1
    strikes: 3
    hold: 65m
    catalog:
      - name: All
        products:
          - {sku: mug, name: Mug, price: 10.00 EUR, stock: 6}
          - {sku: last, name: Rarity, price: 40.00 EUR, stock: 1}
          - {sku: code, name: Licence, price: 5.00 EUR, codes: [CODE-1, CODE-2, CODE-3, CODE-4]}
  payments:
    expires: 65m
    warning: 30m
    quote_for: 40m
    unseen: 30m
    confirmations: {BTC: 2, LTC: 3}
    partial: {extend: 15m, times: 1}
    late:
      - {do: accept, when: {stock: true, drift: 2}}
      - {do: ask}
    rates:
      fixed: {BTC: 50000.00 EUR, LTC: 80.00 EUR}
      sources: []
  chains:
    BTC: {via: bitcoin, node: CHAOS_NODE, keys: CHAOS_ZPUB, every: 3s}
    LTC: {via: electrum, node: CHAOS_NODE, keys: CHAOS_ZPUB}
"""

CHECKOUT = """
flow: checkout
title: Checkout
entry: {commands: [buy]}
key: placed.id
expires: 40h
second_start: parallel
steps:
  what:
    ask: choice
    text: What would you like?
    keyboard: {from: shop.products, text: "{{ option.name }}", value: option.id}
  put:
    do: shop.add
    with: {product: what.id}
    transitions: {added: read, sold_out: none_left, gone: none_left}
  read:
    do: shop.read_cart
    save: basket
    transitions: {cart: coin, empty: none_left}
  coin:
    ask: choice
    text: "{{ basket.total | money }}. With which coin?"
    keyboard: {from: payments.currencies, text: "{{ option.name }}", value: option.id}
  price:
    do: payments.quote
    with: {total: basket.total, currency: coin.id}
    save: price
    transitions:
      quoted: sure
      unavailable: no_coin
      too_small: no_coin
      failed: {to: coin, text: "Again, please."}
  sure:
    ask: choice
    text: "That is {{ price.amount | money }}."
    keyboard: [[{text: Order, trigger: order}]]
    transitions: {order: place}
  place:
    do: shop.place_order
    with: {cart: basket, currency: coin.id}
    save: placed
    undo: {do: shop.cancel_order, with: {order: result.id}, after: placed}
    transitions:
      placed: bill
      short: none_left
      open_order: {to: sure, text: Another order is open.}
      changed: {to: read, text: A price has changed.}
      blocked: none_left
      empty: none_left
  bill:
    do: payments.create_invoice
    with: {order: placed.id, quote: price.id}
    transitions: {invoiced: look, outdated: no_coin, no_address: no_coin}
  look:
    do: payments.invoice
    with: {order: placed.id}
    save: invoice
    transitions:
      found:
        - {to: pay, if: outcome.status == "new"}
        - {to: seen, if: outcome.status == "processing"}
        - {to: receipt, if: outcome.status == "settled"}
        - {to: over}
      gone: over
  pay:
    final: true
    text: "Send {{ invoice.rest | amount }} {{ invoice.currency }} to {{ invoice.address }}."
    keyboard: [[{text: Cancel, trigger: cancel}]]
    wait:
      payment.partial: {to: look, text: "A part has come: {{ outcome.paid | money }}."}
      payment.seen: look
      payment.settled: receipt
      payment.warning: {to: look, text: Only a little time is left.}
      payment.delayed: {to: look, text: We see nothing of the network.}
      payment.extended: {to: look, text: You have a little more time.}
      payment.withdrawn: {to: look, text: Your payment is gone.}
      payment.expired: over
      order.cancelled: dropped
    transitions: {cancel: cancel}
  seen:
    text: "We see {{ invoice.paid | money }}."
    wait:
      payment.settled: receipt
      payment.withdrawn: {to: look, text: Your payment is gone.}
      payment.expired: over
  cancel:
    do: shop.cancel_order
    with: {order: placed.id}
    transitions:
      cancelled: drop
      too_late: {to: look, text: Too late to cancel.}
  drop:
    wait:
      order.cancelled: dropped
      after: {time: 1m, to: dropped}
  receipt:
    do: shop.order
    with: {order: placed.id}
    save: bought
    transitions: {found: thanks, gone: over}
  thanks:
    text: "Paid, thank you.{% for text in bought.goods %} {{ text }}{% endfor %}"
    end: completed
  over:
    text: The time is over.
    end: expired
  dropped:
    text: Cancelled.
    end: cancelled
  no_coin:
    text: Not with this coin.
    end: no_coin
  none_left:
    text: None left.
    end: sold_out
"""

NEWS = """
flow: order_news
title: News
arguments:
  news: text
  order: text
  status: "text?"
  paid: "money?"
  rest: "money?"
  amount: "money?"
  decision: "text?"
  goods: "list of text?"
expires: 40h
back: false
cancel: false
steps:
  asked:
    if: news == "payment.late" and decision | default("") == "ask"
    ask: choice
    text: "Late: {% if paid %}{{ paid | money }}{% endif %}. What now?"
    keyboard: [[{text: Keep it, trigger: credit}, {text: Send back, trigger: refund}]]
    transitions: {credit: credit, refund: refund}
  plain:
    if: news != "payment.late" or decision | default("") != "ask"
    text: >-
      {{ news }} {{ decision | default('') }} {% if paid %}{{ paid | money }}{% endif %}{% for text in
      goods | default([]) %} {{ text }}{% endfor %}
    end: completed
  credit:
    do: payments.choose
    with: {order: order, choice: "'credit'"}
    transitions: {chosen: chosen, gone: gone}
  refund:
    do: payments.choose
    with: {order: order, choice: "'refund'"}
    transitions: {chosen: chosen, gone: gone}
  chosen:
    text: All right.
    end: completed
  gone:
    text: That is done already.
    end: completed
"""

TEAM = """
flow: team_news
title: Team
only: admin
arguments:
  news: text
  kind: "text?"
  status: "text?"
  total: "money?"
  amount: "money?"
  paid: "money?"
expires: 40h
back: false
cancel: false
steps:
  told:
    text: >-
      {{ news }} {{ status | default('') }} {{ kind | default('') }} {% if total %}{{ total | money }}{% endif %}
      {% if amount %}{{ amount | money }}{% endif %} {% if paid %}{{ paid | money }}{% endif %}
    end: completed
"""

HELLO = """
flow: hello
title: Hello
entry: {commands: [hello]}
steps:
  hello:
    text: Hello.
    end: completed
"""

FLOWS = {
    "bot.yaml": BOT,
    "checkout.yaml": CHECKOUT,
    "order_news.yaml": NEWS,
    "team_news.yaml": TEAM,
    "hello.yaml": HELLO,
}
ZPUB = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
"""The account that BIP 84 publishes."""
ENVIRONMENT = {"CHAOS_NODE": "http://127.0.0.1:1", "CHAOS_ZPUB": ZPUB}
