// @ts-check
/**
 * Values of a conversation as a tree that a person can read. Must never change or send them.
 */

import { h } from "./workshop_dom.js";

const LONG = 300;
const MANY = 100;

/** @param {any} value */
function isGroup(value) {
  return value !== null && typeof value === "object" && Object.keys(value).length > 0;
}

/**
 * A single value in words; `kind` is its colour.
 * @param {any} value
 * @returns {{kind: string, text: string}}
 */
function single(value) {
  if (value === null || value === undefined) return { kind: "none", text: "not set" };
  if (typeof value === "boolean") return { kind: "word", text: value ? "yes" : "no" };
  if (typeof value === "number") return { kind: "number", text: String(value) };
  if (typeof value === "object") return { kind: "none", text: Array.isArray(value) ? "empty list" : "empty" };
  if (value === "") return { kind: "none", text: "empty text" };
  return { kind: "text", text: String(value) };
}

/**
 * A list or a record on one line, without the marks of a program.
 * @param {any} value
 * @returns {string}
 */
function flat(value) {
  if (!isGroup(value)) return single(value).text;
  if (Array.isArray(value)) return `[${value.map(flat).join(", ")}]`;
  const fields = Object.entries(value).map(([name, inner]) => `${name}: ${flat(inner)}`);
  return `{${fields.join(", ")}}`;
}

/**
 * One value on one line, cut when long (the whole is its tooltip).
 * @param {any} value
 * @returns {HTMLElement}
 */
export function inline(value) {
  const { kind, text } = isGroup(value) ? { kind: "group", text: flat(value) } : single(value);
  const cut = text.length > LONG;
  return h("span", { class: `ws-value ws-value-${kind}`, title: cut ? text.slice(0, 4000) : null }, cut ? `${text.slice(0, LONG)}…` : text);
}

/**
 * The value under a dotted path, or undefined.
 * @param {any} data @param {string} path
 */
export function under(data, path) {
  let value = data;
  for (const part of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

/** The answers as rows; groups fold, and what is new since the last look lights up for a moment. */
export class Answers {
  constructor() {
    this.tree = h("div", { class: "ws-tree" });
    this.empty = h("p", { class: "ws-muted ws-empty" }, "No answers yet.");
    this.element = h("div", { testid: "answers" }, this.empty, this.tree);
    /** @private @type {Set<string>} */ this.folded = new Set();
    /** @private @type {Map<string, string>} */ this.before = new Map();
    /** @private */ this.drawn = "";
    /** @private */ this.subject = "";
  }

  /**
   * @param {string} subject Whose data: nothing lights up when it changes.
   * @param {Record<string, any>} data
   */
  show(subject, data) {
    const text = JSON.stringify([subject, data]);
    if (text === this.drawn) return;
    const fresh = subject === this.subject ? this.before : null;
    this.drawn = text;
    this.subject = subject;
    this.before = new Map();
    this.tree.replaceChildren(...this.rows(data, "", fresh));
    this.empty.hidden = Object.keys(data).length > 0;
  }

  /** @private @param {any} group @param {string} prefix @param {Map<string, string> | null} before */
  rows(group, prefix, before) {
    const names = Object.keys(group);
    const numbered = Array.isArray(group);
    const rows = names
      .slice(0, MANY)
      .map((name) => this.row(numbered ? `${Number(name) + 1}.` : name, group[name], `${prefix}${name}`, before));
    if (names.length > MANY) rows.push(h("div", { class: "ws-muted" }, `… and ${names.length - MANY} more`));
    return rows;
  }

  /** @private @param {string} name @param {any} value @param {string} path @param {Map<string, string> | null} before */
  row(name, value, path, before) {
    if (!isGroup(value)) {
      const text = JSON.stringify(value) ?? "";
      this.before.set(path, text);
      const fresh = before !== null && before.get(path) !== text;
      return h("div", { class: fresh ? "ws-row ws-fresh" : "ws-row" }, h("span", { class: "ws-name" }, name), inline(value));
    }
    const size = Array.isArray(value) ? `${value.length} ${value.length === 1 ? "item" : "items"}` : "";
    const summary = h("summary", {}, h("span", { class: "ws-name" }, name), h("span", { class: "ws-muted" }, size));
    const group = h("details", { class: "ws-group" }, summary, h("div", { class: "ws-inner" }, ...this.rows(value, `${path}.`, before)));
    group.open = !this.folded.has(path);
    group.addEventListener("toggle", () => (group.open ? this.folded.delete(path) : this.folded.add(path)));
    return group;
  }
}
