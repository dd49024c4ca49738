// @ts-check
/**
 * What each condition and text gave, event by event. Must never evaluate anything itself.
 */

import { h, keep } from "./workshop_dom.js";
import { exactTime } from "./workshop_time.js";
import { inline } from "./workshop_values.js";

/**
 * @typedef {{file: string, line: number, source: string, value: any, ok: boolean, kind: "text" | "expression"}} Item
 * @typedef {{event: string, at: string, step: string, items: Item[]}} Evaluation
 */

/** @type {Record<string, string>} */
const MARKS = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&#34;": '"', "&amp;": "&" };

/**
 * What a text gave, as the customer reads it: without tags, and no `&lt;`. It is only ever shown as plain text.
 * @param {any} value
 */
function read(value) {
  if (typeof value !== "string") return value;
  return value.replace(/<\/?[a-z][^<>]*>/gi, "").replace(/&(?:lt|gt|quot|amp|#39|#34);/g, (mark) => MARKS[mark]);
}

/**
 * One expression with its value.
 * @param {Item} item @param {(file: string, line: number) => void} onPlace
 */
export function decision(item, onPlace) {
  const place = `${item.file}:${item.line}`;
  const short = `${item.file.split("/").pop()}:${item.line}`;
  const show = h(
    "button",
    { type: "button", class: "ws-link ws-place", title: `Show ${place}`, on: { click: () => onPlace(item.file, item.line) } },
    short,
  );
  const kind = item.kind === "text" ? "Text" : "Condition or value";
  return h(
    "li",
    { class: item.ok === false ? "ws-decision ws-failed" : "ws-decision" },
    h("code", { class: "ws-expression", title: kind }, item.source),
    h(
      "span",
      { class: "ws-gave" },
      h("span", { class: "ws-arrow", "aria-hidden": "true" }, item.ok === false ? "✕" : "→"),
      inline(item.kind === "text" ? read(item.value) : item.value),
    ),
    show,
  );
}

/** The list, newest event first; the newest is unfolded. */
export class Decided {
  /** @param {(file: string, line: number) => void} onPlace */
  constructor(onPlace) {
    this.onPlace = onPlace;
    this.list = h("div", { class: "ws-events" });
    this.empty = h(
      "p",
      { class: "ws-muted ws-empty" },
      "Nothing yet. Each answer shows here which conditions and texts were worked out, and what they gave.",
    );
    this.element = h("div", { testid: "evaluations" }, this.empty, this.list);
  }

  /** @param {readonly Evaluation[]} evaluations */
  show(evaluations) {
    this.empty.hidden = evaluations.length > 0;
    const newest = this.list.firstElementChild;
    keep(this.list, evaluations, {
      key: (event) => JSON.stringify(event),
      make: (event) => this.event(event),
    });
    if (this.list.firstElementChild !== newest) {
      if (newest instanceof HTMLDetailsElement && !newest.dataset.touched) newest.open = false;
      const first = this.list.firstElementChild;
      if (first instanceof HTMLDetailsElement) first.open = true;
    }
  }

  /** @private @param {Evaluation} event */
  items(event) {
    return h("ol", { class: "ws-decisions" }, ...event.items.map((item) => decision(item, this.onPlace)));
  }

  /** @private @param {Evaluation} event @returns {HTMLElement} */
  event(event) {
    const failed = event.items.some((item) => item.ok === false);
    const words = [
      h("span", { class: "ws-event-name" }, event.event),
      event.step && h("span", { class: "ws-muted" }, `at “${event.step}”`),
      failed && h("span", { class: "ws-badge ws-bad" }, "error"),
      h("span", { class: "ws-muted ws-right" }, exactTime(event.at)),
    ];
    if (!event.items.length) return h("div", { class: "ws-event ws-quiet", title: "Nothing was worked out" }, words);
    /** @type {HTMLDetailsElement} */
    const details = h(
      "details",
      { class: "ws-event" },
      h("summary", { on: { click: () => (details.dataset.touched = "yes") } }, words),
      this.items(event),
    );
    return details;
  }
}
