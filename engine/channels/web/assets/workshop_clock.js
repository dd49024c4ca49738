// @ts-check
/**
 * The bar with the bot's clock and the buttons that turn it. Must never keep a time of its own: `VirtualClock` does.
 */

import { button, h, icon, setText } from "./workshop_dom.js";
import { span, timeOfDay } from "./workshop_time.js";

/** @typedef {import("./workshop_time.js").VirtualClock} VirtualClock */

const STEPS = /** @type {const} */ ([
  ["+1 min", 60, "clock-1m"],
  ["+30 min", 1800, "clock-30m"],
  ["+1 h", 3600, "clock-1h"],
  ["+1 day", 86400, "clock-1d"],
]);
const YEAR = 366 * 86400;

export class ClockBar {
  /** @param {VirtualClock} clock @param {(message: import("./connection.js").Message) => void} send */
  constructor(clock, send) {
    this.clock = clock;
    this.send = send;
    /** @private @type {string | null} */ this.next = null;
    this.readout = h("span", { class: "ws-clock-time" });
    this.note = h("span", { class: "ws-muted" });
    this.nextButton = button("Until the next timer", () => send({ type: "clock", to: "next" }), { testid: "clock-next" });
    this.realButton = button("Back to real time", () => send({ type: "clock", to: "real" }), {
      testid: "clock-real",
      title: "The clock shows the real time again",
    });
    this.other = button("…", () => this.unfold(), {
      title: "Turn it by another length of time",
      "aria-label": "Another length of time",
      "aria-expanded": "false",
    });
    this.amount = h("input", { class: "ws-input ws-number", type: "number", min: "1", max: "9999", value: "5", "aria-label": "How much" });
    this.unit = h("select", { class: "ws-input", "aria-label": "Unit", testid: "clock-unit" });
    this.form = this.custom();
    this.element = h(
      "div",
      { class: "ws-clock", testid: "clock", role: "group", "aria-label": "The bot's clock" },
      this.face(),
      this.buttons(),
    );
    this.tick();
  }

  /** @private */
  face() {
    const hint = "The time the bot believes it is. Turn it forwards and timers, reminders and expiries come at once.";
    return h("div", { class: "ws-clock-face", title: hint }, icon("clock"), this.readout, this.note);
  }

  /** @private */
  buttons() {
    const steps = STEPS.map(([label, seconds, testid]) =>
      button(label, () => this.turn(seconds), { testid, title: `Turn the clock ${span(seconds)} forwards` }),
    );
    return h("div", { class: "ws-clock-buttons" }, ...steps, this.other, this.nextButton, this.realButton, this.form);
  }

  /** @private */
  custom() {
    this.unit.append(new Option("minutes", "60"), new Option("hours", "3600"), new Option("days", "86400"));
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const seconds = Math.round(Number(this.amount.value) * Number(this.unit.value));
      if (seconds > 0 && seconds <= YEAR) this.turn(seconds);
    };
    const go = h("button", { type: "submit", class: "ws-button ws-primary" }, "Turn forwards");
    return h("form", { class: "ws-clock-custom", hidden: true, on: { submit } }, this.amount, this.unit, go);
  }

  /** @private */
  unfold() {
    this.form.hidden = !this.form.hidden;
    this.other.setAttribute("aria-expanded", String(!this.form.hidden));
    if (!this.form.hidden) this.amount.select();
  }

  /** @private @param {number} seconds */
  turn(seconds) {
    this.send({ type: "clock", turn: seconds });
  }

  /** @param {string | null} next When the next timer, expiry or retry of anything is due. */
  show(next) {
    this.next = next;
    this.tick();
  }

  /** Draw the time anew; called every second and after each message. */
  tick() {
    const now = this.clock.now();
    setText(this.readout, timeOfDay(now, new Date()));
    const turned = this.clock.offset > 0;
    setText(this.note, turned ? `${span(this.clock.offset)} ahead` : "real time");
    this.element.classList.toggle("ws-turned", turned);
    this.realButton.disabled = !turned;
    this.nextButton.disabled = !this.next;
    setText(this.nextButton, this.next ? `Until the next timer · ${timeOfDay(this.next, now)}` : "Until the next timer");
    this.nextButton.title = this.next
      ? `Turn the clock to ${timeOfDay(this.next, now)}: ${span(this.clock.until(this.next))} forwards`
      : "Nothing waits for a time";
  }
}
