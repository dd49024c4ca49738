// @ts-check
/**
 * A part of the pane that folds away and remembers it. Must never know what is inside.
 */

import { h, setText } from "./workshop_dom.js";

const PREFIX = "stepgram.workshop.";

/**
 * What the browser remembers of the pane; null when it remembers nothing or may not.
 * @param {string} name
 */
export function recall(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // A browser that keeps nothing: the section is open again after a reload.
  }
}

/** A heading with a number beside it and a body that folds. */
export class Section {
  /**
   * @param {string} name Under which it is remembered.
   * @param {string} title
   * @param {string} hint The tooltip.
   * @param {Element} body
   */
  constructor(name, title, hint, body) {
    this.badge = h("span", { class: "ws-badge", hidden: true });
    this.title = h("span", { class: "ws-section-title" }, title);
    const summary = h("summary", { class: "ws-summary", title: hint }, this.title, this.badge);
    this.element = h("details", { class: `ws-section ws-section-${name}` }, summary, body);
    this.element.open = recall(name) !== "closed";
    this.element.addEventListener("toggle", () => remember(name, this.element.open ? "open" : "closed"));
  }

  /**
   * The number beside the title; none when 0 or empty.
   * @param {number | string} count @param {boolean} [bad] In red.
   */
  count(count, bad = false) {
    this.badge.hidden = !count;
    this.badge.classList.toggle("ws-bad", bad);
    setText(this.badge, String(count || ""));
  }
}
