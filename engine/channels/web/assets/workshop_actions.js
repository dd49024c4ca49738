// @ts-check
/**
 * How the next call of an action goes: it fails, is slow, or gives a chosen outcome. Must never call one.
 */

import { button, h, keep, readObject, setOptions, setText } from "./workshop_dom.js";

/**
 * @typedef {{name: string, example: Record<string, any>}} Outcome
 * @typedef {{name: string, source: boolean, transactional?: boolean, outcomes: Outcome[], steps: string[]}} Action
 * @typedef {{action: string, kind: string, detail?: string}} Rig
 */

/** @type {Record<string, string>} */
const WORDS = { fail: "fails", slow: "is slow", outcome: "gives a chosen outcome" };
const SLOWEST = 600;

/** @param {string} label @param {Element} field */
function labelled(label, field) {
  return h("label", { class: "ws-field" }, h("span", { class: "ws-label" }, label), field);
}

export class Actions {
  /** @param {(message: import("./connection.js").Message) => void} send */
  constructor(send) {
    this.send = send;
    /** @private @type {readonly Action[]} */ this.actions = [];
    /** @private @type {Map<string, string>} What was typed per action and outcome. */ this.drafts = new Map();
    /** @private */ this.slot = "";
    const changed = { change: () => this.refresh() };
    this.action = h("select", { class: "ws-input", testid: "rig-action", on: changed });
    this.kind = h("select", { class: "ws-input", testid: "rig-kind", on: changed });
    this.outcome = h("select", { class: "ws-input", testid: "rig-outcome", on: changed });
    this.reason = h("input", { class: "ws-input", testid: "rig-reason", maxlength: "300", value: "The other system does not answer." });
    this.final = h("input", { type: "checkbox", testid: "rig-final" });
    this.seconds = h("input", {
      class: "ws-input ws-number",
      testid: "rig-seconds",
      type: "number",
      min: "0.1",
      max: String(SLOWEST),
      step: "any",
      value: "5",
    });
    this.value = h("textarea", {
      class: "ws-input ws-json",
      testid: "rig-value",
      rows: "5",
      spellcheck: "false",
      on: { input: () => this.drafts.set(this.slot, this.value.value) },
    });
    this.wrong = h("p", { class: "ws-wrong", role: "alert", hidden: true });
    this.used = h("p", { class: "ws-muted ws-hint" });
    this.rigs = h("ul", { class: "ws-list", testid: "rigs", "aria-label": "What is set for the next calls" });
    this.empty = h("p", { class: "ws-muted ws-empty" }, "This flow calls no other system.");
    this.parts = this.makeParts();
    this.form = this.build();
    this.element = h("div", {}, this.rigs, this.empty, this.form);
  }

  /** The fields of each kind. @private @returns {Record<string, HTMLElement>} */
  makeParts() {
    const final = h(
      "label",
      { class: "ws-check", title: "Otherwise it is tried again, as the flow says" },
      this.final,
      " for good (no new try)",
    );
    return {
      fail: h("div", { class: "ws-fields" }, labelled("Reason", this.reason), final),
      slow: h("div", { class: "ws-fields" }, labelled("Seconds", this.seconds)),
      outcome: h("div", { class: "ws-fields" }, labelled("Outcome", this.outcome), labelled("What it gives (JSON)", this.value)),
    };
  }

  /** @private */
  build() {
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.apply();
    };
    const apply = h(
      "button",
      { type: "submit", class: "ws-button ws-primary", testid: "rig-apply", title: "Holds for the next call only" },
      "Set for the next call",
    );
    const choice = h("div", { class: "ws-fields ws-two" }, labelled("The next call of", this.action), labelled("does this", this.kind));
    return h(
      "form",
      { class: "ws-rig", on: { submit } },
      choice,
      this.used,
      ...Object.values(this.parts),
      this.wrong,
      h("div", { class: "ws-actions-row" }, apply),
    );
  }

  /** @param {readonly Action[]} actions @param {readonly Rig[]} rigs */
  show(actions, rigs) {
    this.actions = actions;
    this.form.hidden = actions.length === 0;
    this.empty.hidden = actions.length > 0;
    setOptions(
      this.action,
      actions.map(({ name, source }) => ({ value: name, label: source ? `${name} (list)` : name })),
    );
    this.refresh();
    keep(this.rigs, rigs, { key: (rig) => JSON.stringify(rig), make: (rig) => this.rig(rig) });
  }

  /** @private */
  refresh() {
    const action = this.actions.find(({ name }) => name === this.action.value);
    const outcomes = action?.outcomes ?? [];
    const kinds = [
      { value: "fail", label: "fails" },
      { value: "slow", label: "is slow" },
    ];
    if (outcomes.length) kinds.push({ value: "outcome", label: "gives a chosen outcome" });
    setOptions(this.kind, kinds);
    setOptions(
      this.outcome,
      outcomes.map(({ name }) => ({ value: name, label: name })),
    );
    for (const [kind, part] of Object.entries(this.parts)) part.hidden = kind !== this.kind.value;
    const steps = action?.steps ?? [];
    setText(this.used, steps.length ? `Used at ${steps.map((step) => `“${step}”`).join(", ")}.` : "");
    this.fill(
      action,
      outcomes.find(({ name }) => name === this.outcome.value),
    );
  }

  /** The editor shows the outcome's example, or what was typed for it before. @private @param {Action | undefined} action @param {Outcome | undefined} outcome */
  fill(action, outcome) {
    const slot = action && outcome ? `${action.name} ${outcome.name}` : "";
    if (slot === this.slot) return;
    this.slot = slot;
    this.wrong.hidden = true;
    this.value.value = this.drafts.get(slot) ?? JSON.stringify(outcome?.example ?? {}, null, 2);
    this.value.rows = Math.min(12, Math.max(3, this.value.value.split("\n").length));
  }

  /** @private */
  apply() {
    const message = { type: "rig", action: this.action.value, kind: this.kind.value };
    this.wrong.hidden = true;
    if (message.kind === "fail") this.send({ ...message, reason: this.reason.value.trim(), final: this.final.checked });
    else if (message.kind === "slow") this.slow(message);
    else this.choose(message);
  }

  /** @private @param {import("./connection.js").Message} message */
  slow(message) {
    const seconds = Number(this.seconds.value);
    if (seconds > 0 && seconds <= SLOWEST) this.send({ ...message, seconds });
    else this.complain(`Please give seconds from 0.1 to ${SLOWEST}.`);
  }

  /** @private @param {import("./connection.js").Message} message */
  choose(message) {
    const read = readObject(this.value.value);
    if ("wrong" in read) this.complain(read.wrong);
    else this.send({ ...message, outcome: this.outcome.value, value: read.value });
  }

  /** @private @param {string} sentence */
  complain(sentence) {
    this.wrong.hidden = false;
    setText(this.wrong, sentence);
  }

  /** @private @param {Rig} rig */
  rig(rig) {
    const remove = button("Remove", () => this.send({ type: "rig", action: rig.action, kind: "clear" }), {
      title: "The next call goes as usual",
    });
    const words = rig.detail || WORDS[rig.kind] || rig.kind;
    return h(
      "li",
      { class: "ws-item ws-rigged" },
      h("span", { class: "ws-item-name" }, "The next ", h("code", {}, rig.action), ` ${words}`),
      remove,
    );
  }
}
