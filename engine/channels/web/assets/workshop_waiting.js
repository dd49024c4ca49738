// @ts-check
/**
 * What the conversation waits for: timers, signals from outside, calls under way, each with its way to have it now.
 */

import { button, h, keep, readObject, setText } from "./workshop_dom.js";
import { left, timeOfDay } from "./workshop_time.js";

/** @typedef {import("./workshop_time.js").VirtualClock} VirtualClock */
/** @typedef {{visit: number, name: string, due: string}} Timer */
/** @typedef {{call: string, name: string, attempt: number, due: string}} Call */

/** @type {Record<string, string>} */
const TIMERS = {
  timeout: "Time is up at this step",
  refresh: "The message is drawn anew",
  expires: "The conversation expires",
};

/** @param {any} shown @returns {Timer[]} */
function timersOf(shown) {
  const timers = [...(shown?.timers ?? [])];
  const known = timers.some((timer) => timer.name === "expires");
  if (shown?.expires && shown.status !== "finished" && !known) timers.push({ visit: 0, name: "expires", due: shown.expires });
  return timers.sort((one, other) => Date.parse(one.due) - Date.parse(other.due));
}

export class Waiting {
  /** @param {VirtualClock} clock @param {(message: import("./connection.js").Message) => void} send */
  constructor(clock, send) {
    this.clock = clock;
    this.send = send;
    /** @private */ this.conversation = "";
    this.timers = h("ul", { class: "ws-list", testid: "timers", "aria-label": "Timers" });
    this.signals = h("div", { class: "ws-list" });
    this.calls = h("ul", { class: "ws-list", "aria-label": "Calls under way" });
    this.empty = h("p", { class: "ws-muted ws-empty" });
    this.element = h("div", {}, this.empty, this.timers, this.signals, this.calls);
    this.number = 0;
  }

  /** @param {any} shown The conversation of the state message, or null. */
  show(shown) {
    const id = shown?.id ?? "";
    const timers = timersOf(shown);
    const names = /** @type {string[]} */ (shown?.signals ?? []);
    const calls = /** @type {Call[]} */ (shown?.calls ?? []);
    this.conversation = id;
    this.number = timers.length + names.length + calls.length;
    this.empty.hidden = this.number > 0;
    setText(
      this.empty,
      shown && shown.status !== "finished" ? "Nothing but the customer’s answer." : "Nothing: there is no conversation going on.",
    );
    keep(this.timers, timers, {
      key: (timer) => `${id}.${timer.visit}.${timer.name}`,
      make: (timer) => this.timer(timer),
      update: (row, timer) => (row.dataset.due = timer.due),
    });
    keep(this.signals, names, { key: (name) => `${id}.${name}`, make: (name) => this.signal(name) });
    keep(this.calls, calls, {
      key: (call) => `${id}.${call.call}`,
      make: (call) => h("li", { class: "ws-item" }, h("span", { class: "ws-item-name" }, call.name), h("span", { class: "ws-left" })),
      update: (row, call) => Object.assign(row.dataset, { due: call.due, attempt: String(call.attempt) }),
    });
    this.tick();
  }

  /** Time goes on: what is left is written anew. */
  tick() {
    for (const row of /** @type {Iterable<HTMLElement>} */ (this.timers.children)) {
      const due = row.dataset.due ?? "";
      const text = `${left(this.clock.until(due))} · ${timeOfDay(due, this.clock.now())}`;
      setText(/** @type {Element} */ (row.querySelector(".ws-left")), text);
    }
    for (const row of /** @type {Iterable<HTMLElement>} */ (this.calls.children)) {
      setText(/** @type {Element} */ (row.querySelector(".ws-left")), this.call(row));
    }
  }

  /** @private @param {HTMLElement} row */
  call(row) {
    const tries = Number(row.dataset.attempt);
    const seconds = this.clock.until(row.dataset.due ?? "");
    if (tries > 0 && seconds > 0.5) return `tried ${tries === 1 ? "once" : `${tries} times`}, again ${left(seconds)}`;
    return tries > 0 ? `under way, try ${tries + 1}` : "under way";
  }

  /** @private @param {Timer} timer */
  timer(timer) {
    const conversation = this.conversation;
    const now = button("Now", () => this.send({ type: "timer", conversation, visit: timer.visit, name: timer.name }), {
      testid: "timer-now",
      title: "Let this happen now, without waiting",
    });
    const words = TIMERS[timer.name] ?? timer.name;
    const name = h("span", { class: "ws-item-name", title: `Timer “${timer.name}”` }, words);
    return h("li", { class: "ws-item" }, name, h("span", { class: "ws-left" }), now);
  }

  /** @private @param {string} name */
  signal(name) {
    const conversation = this.conversation;
    const wrong = h("p", { class: "ws-wrong", role: "alert", hidden: true });
    const editor = h("textarea", {
      class: "ws-input ws-json",
      rows: "2",
      spellcheck: "false",
      "aria-label": `What “${name}” brings along, as JSON`,
    });
    editor.value = "{}";
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const read = readObject(editor.value);
      wrong.hidden = !("wrong" in read);
      if ("wrong" in read) setText(wrong, read.wrong);
      else this.send({ type: "signal", conversation, name, payload: read.value });
    };
    const send = h(
      "button",
      { type: "submit", class: "ws-button", testid: "signal-send", title: "Let this signal come in now" },
      "Send now",
    );
    const head = h(
      "div",
      { class: "ws-item" },
      h("span", { class: "ws-item-name", title: "Something that happens outside the chat" }, "Signal ", h("code", {}, name)),
      send,
    );
    return h("form", { class: "ws-signal", testid: "signal", "data-signal": name, on: { submit } }, head, editor, wrong);
  }
}
