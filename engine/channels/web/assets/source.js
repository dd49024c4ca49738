// @ts-check
/**
 * A flow's YAML with line numbers: the lines of a step, or the place of a finding. Must never change the file.
 */

import { h, iconButton, keep, setText, shortFile } from "./workshop_dom.js";
import { decision } from "./workshop_decided.js";
import { inline, under } from "./workshop_values.js";
import { colour, linesOf } from "./workshop_yaml.js";

/** @typedef {{file: string, version: string, text: string, steps: Record<string, {from: number, to: number}>}} Source */

/** The files of the live flows, fetched once until a reload. */
export class Sources {
  constructor() {
    /** @private @type {Map<string, Promise<Source | null>>} */ this.known = new Map();
  }

  /** After a reload: everything is fetched anew. */
  forget() {
    this.known.clear();
  }

  /** @param {string} flow @returns {Promise<Source | null>} null: there is none, or no connection. */
  get(flow) {
    const known = this.known.get(flow);
    if (known) return known;
    const asked = fetch(`/source/${encodeURIComponent(flow)}.json`, { cache: "no-cache" })
      .then((answer) => (answer.ok ? answer.json() : null))
      .catch(() => null);
    this.known.set(flow, asked);
    asked.then((source) => source === null && this.known.get(flow) === asked && this.known.delete(flow));
    return asked;
  }

  /**
   * The flow that is written in a file; the likeliest by name is asked first.
   * @param {string} file @param {readonly string[]} flows
   */
  async flowOf(file, flows) {
    const stem = file
      .split("/")
      .pop()
      ?.replace(/\.ya?ml$/, "");
    const order = [...flows].sort((one, other) => Number(other === stem) - Number(one === stem));
    for (const flow of order) {
      const source = await this.get(flow);
      if (source && (source.file === file || source.file.endsWith(`/${file}`) || file.endsWith(`/${source.file}`))) return flow;
    }
    return null;
  }
}

/** The panel under the diagram. */
export class SourcePanel {
  /** @param {{sources: Sources, onPlace: (file: string, line: number) => void, onClose: () => void}} options */
  constructor({ sources, onPlace, onClose }) {
    this.sources = sources;
    this.onPlace = onPlace;
    this.flow = "";
    this.step = "";
    /** @private */ this.line = 0;
    /** @private */ this.current = "";
    /** @private @type {Source | null} */ this.source = null;
    /** @private */ this.drawn = "";
    this.heading = h("strong", { class: "ws-source-step" });
    this.place = h("span", { class: "ws-source-file" });
    this.note = h("p", { class: "ws-wrong", hidden: true });
    this.code = h("div", { class: "ws-code", tabindex: "0", role: "region", "aria-label": "Lines of the file" });
    this.answer = h("div", { class: "ws-step-answer", hidden: true });
    this.decisions = h("ol", { class: "ws-decisions" });
    const close = iconButton("close", "Close these lines", () => (this.close(), onClose()));
    const head = h("div", { class: "ws-source-head" }, this.heading, this.place, close);
    const facts = h("div", { class: "ws-step-facts" }, this.answer, this.decisions);
    this.element = h(
      "section",
      { class: "ws-source", testid: "step-source", "aria-label": "Lines of the step", hidden: true },
      head,
      this.note,
      this.code,
      facts,
    );
  }

  close() {
    this.element.hidden = true;
    this.step = "";
    this.line = 0;
  }

  /** Show a step's lines. @param {string} flow @param {string} step */
  async show(flow, step) {
    Object.assign(this, { flow, step, line: 0 });
    await this.load("");
  }

  /**
   * Show one line.
   * @param {string} flow @param {number} line @param {string} [expected] What stood there; other text is said to differ.
   */
  async showLine(flow, line, expected = "") {
    const source = await this.sources.get(flow);
    const step = Object.entries(source?.steps ?? {}).find(([, { from, to }]) => from <= line && line <= to)?.[0] ?? "";
    Object.assign(this, { flow, step, line });
    await this.load(expected);
  }

  /** After a reload: the same place of the new file. */
  async again() {
    if (this.element.hidden) return;
    const top = this.code.scrollTop;
    await this.load("");
    this.code.scrollTop = top;
  }

  /** @private @param {string} expected */
  async load(expected) {
    const { flow, step, line } = this;
    const source = await this.sources.get(flow);
    if (flow !== this.flow || step !== this.step || line !== this.line) return;
    this.source = source;
    this.element.hidden = false;
    this.draw();
    const there = linesOf(source?.text ?? "")[line - 1];
    const moved = Boolean(line && expected && source && there?.trim() !== expected.trim());
    this.note.hidden = !moved && source !== null;
    setText(
      this.note,
      source ? "The saved file differs: these are the lines of the version that is live." : "The lines are not there at the moment.",
    );
    this.scroll();
  }

  /** @private */
  range() {
    return this.source?.steps[this.step] ?? (this.line ? { from: this.line, to: this.line } : { from: 0, to: -1 });
  }

  /** @private */
  draw() {
    const { from, to } = this.range();
    setText(this.heading, this.step || (this.source ? this.flow : ""));
    const lines = this.line ? `:${this.line}` : from === to ? `:${from}` : `:${from}–${to}`;
    setText(this.place, this.source ? `${shortFile(this.source.file)}${from > 0 ? lines : ""}` : "");
    this.place.title = this.source?.file ?? "";
    const drawn = JSON.stringify([this.flow, this.source?.version, this.source?.text.length]);
    if (drawn !== this.drawn) this.code.replaceChildren(...colour(this.source?.text.replace(/\n$/, "") ?? "").map(row));
    this.drawn = drawn;
    for (const [index, element] of [...this.code.children].entries()) {
      element.classList.toggle("ws-chosen", from <= index + 1 && index + 1 <= to);
      element.classList.toggle("ws-at", index + 1 === this.line);
    }
    this.lit(this.current);
  }

  /** The conversation stands here: these lines are lit. @param {string} step Empty: at none of this flow. */
  lit(step) {
    this.current = step;
    const { from, to } = this.source?.steps[step] ?? { from: 0, to: -1 };
    for (const [index, element] of [...this.code.children].entries()) {
      element.classList.toggle("ws-lit", from <= index + 1 && index + 1 <= to);
    }
  }

  /** @private */
  scroll() {
    const { from } = this.range();
    const element = /** @type {HTMLElement | undefined} */ (this.code.children[(this.line || from) - 1]);
    if (!element) return;
    const above = this.line ? this.code.clientHeight / 3 : 34;
    this.code.scrollTop = Math.max(0, element.offsetTop - above);
  }

  /**
   * What was answered and worked out at this step.
   * @param {{data: Record<string, any>, evaluations: readonly import("./workshop_decided.js").Evaluation[]}} facts
   */
  facts({ data, evaluations }) {
    const found = this.answered(data);
    this.answer.hidden = found === undefined;
    if (found !== undefined) this.answer.replaceChildren(h("span", { class: "ws-name" }, "Answer"), inline(found));
    const { from, to } = this.range();
    const items = this.step
      ? evaluations
          .flatMap((event) => event.items)
          .filter((item) => item.file === this.source?.file && from <= item.line && item.line <= to)
      : [];
    keep(this.decisions, items.slice(0, 30), { key: (item) => JSON.stringify(item), make: (item) => decision(item, this.onPlace) });
  }

  /** The answer is under the step's id, or where its `save:` says. @private @param {Record<string, any>} data */
  answered(data) {
    if (!this.step || !this.source) return undefined;
    const { from, to } = this.range();
    const lines = linesOf(this.source.text).slice(from - 1, to);
    const saved = lines.map((line) => /^\s+save:\s*([\w.]+)/.exec(line)?.[1]).find(Boolean);
    return under(data, saved ?? this.step);
  }
}

/** One line with its number. @param {import("./workshop_yaml.js").Piece[]} line @param {number} index */
function row(line, index) {
  const text = line.map(([kind, part]) => (kind === "space" || kind === "plain" ? part : h("span", { class: `ws-y-${kind}` }, part)));
  return h(
    "div",
    { class: "ws-line" },
    h("span", { class: "ws-line-number", "aria-hidden": "true" }, String(index + 1)),
    h("span", { class: "ws-line-text" }, ...text, "\n"),
  );
}
