// @ts-check
/**
 * The flow's diagram: zoom, pan, the current step lit, the path walked. Must never know what a conversation is.
 */

import { h, iconButton, setText } from "./workshop_dom.js";
import { Gestures } from "./workshop_gestures.js";
import { readDrawing, sizeOf } from "./workshop_svg.js";
import { walkedLines } from "./workshop_walk.js";

const SMALLEST = 0.08;
const LARGEST = 3;
const READABLE = 0.85;
const PATIENCE = 4000;
const NOTHING = "There is no diagram to show yet. Choose a flow above.";

/** @typedef {{current: string, path: readonly string[], chosen: string}} Marks */

export class Diagram {
  /** @param {{onStep: (step: string) => void}} options */
  constructor({ onStep }) {
    this.onStep = onStep;
    this.zoom = 1;
    /** @private @type {SVGSVGElement | null} */ this.svg = null;
    /** @private */ this.size = { width: 600, height: 400 };
    /** @private */ this.flow = "";
    /** @private */ this.asked = 0;
    /** @private Until the person zooms, the zoom fits the width. */ this.automatic = true;
    /** @private */ this.touched = -Infinity;
    /** @private @type {Marks} */ this.marks = { current: "", path: [], chosen: "" };
    this.note = h("p", { class: "ws-muted ws-empty" }, NOTHING);
    this.view = h("div", { class: "ws-diagram-view", tabindex: "-1" }, this.note);
    this.percent = h(
      "button",
      { type: "button", class: "ws-button ws-percent", title: "Back to 100 %", on: { click: () => this.zoomTo(1) } },
      "100 %",
    );
    this.element = h("div", { class: "ws-diagram", testid: "diagram", role: "group", "aria-label": "Diagram of the flow" }, this.view);
    this.tools = this.makeTools();
    this.gestures = new Gestures(this.view, {
      onZoom: (factor, at) => this.zoomTo(this.zoom * factor, at),
      onTouch: () => (this.touched = performance.now()),
    });
    this.listen();
  }

  /** @private */
  makeTools() {
    return h(
      "div",
      { class: "ws-diagram-tools", role: "group", "aria-label": "Zoom" },
      iconButton("minus", "Smaller", () => this.zoomTo(this.zoom / 1.25)),
      this.percent,
      iconButton("plus", "Larger", () => this.zoomTo(this.zoom * 1.25)),
      iconButton("fit", "The whole diagram", () => this.fit()),
      iconButton("target", "Where the conversation stands", () => this.follow(true)),
    );
  }

  /** @private */
  listen() {
    const stepOf = (/** @type {Event} */ event) => {
      const node = /** @type {Element} */ (event.target).closest?.("[data-step]");
      return node && this.svg?.contains(node) ? node.getAttribute("data-step") : null;
    };
    this.view.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const step = stepOf(event);
      if (step !== null && !this.gestures.dragged) this.onStep(step);
    });
    this.view.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const step = stepOf(event);
      if (step !== null) this.key(event, step);
    });
    new ResizeObserver(() => this.automatic && this.fitWidth()).observe(this.view);
  }

  /** @private @param {KeyboardEvent} event @param {string} step */
  key(event, step) {
    if (event.key === "Enter" || event.key === " ") this.onStep(step);
    else if (!this.walk(event.key, step)) return;
    event.preventDefault();
  }

  /** Arrow keys go from step to step, in the order of the file. @private @param {string} key @param {string} step */
  walk(key, step) {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[key];
    if (!by) return false;
    const nodes = this.nodes();
    const next = nodes[nodes.findIndex((node) => node.getAttribute("data-step") === step) + by];
    if (next) this.reachable(next).focus();
    return true;
  }

  /** Only one step is reached by Tab: the current one, or the one chosen last. @private @param {SVGElement} node */
  reachable(node) {
    for (const other of this.nodes()) other.setAttribute("tabindex", other === node ? "0" : "-1");
    return node;
  }

  /** @private @returns {SVGElement[]} */
  nodes() {
    return this.svg ? [...this.svg.querySelectorAll("[data-step]")].map((node) => /** @type {SVGElement} */ (node)) : [];
  }

  /** Show a flow; the same one again only after `refresh`. @param {string} flow */
  async show(flow) {
    if (flow === this.flow) return;
    this.flow = flow;
    this.automatic = true;
    await this.load(false);
  }

  /** After a reload: the same flow drawn anew, at the same place. */
  async refresh() {
    if (this.flow) await this.load(true);
  }

  /** @private @param {boolean} stay */
  async load(stay) {
    const asked = ++this.asked;
    const text = this.flow ? await fetchText(`/diagram/${encodeURIComponent(this.flow)}.svg`) : "";
    if (asked !== this.asked) return;
    this.svg = text ? readDrawing(text) : null;
    if (!this.svg) {
      setText(this.note, this.flow ? "There is no diagram of this flow at the moment." : NOTHING);
      this.view.replaceChildren(this.note);
      return;
    }
    const { scrollLeft, scrollTop } = this.view;
    this.prepare(this.svg);
    this.view.replaceChildren(this.svg);
    if (stay && !this.automatic) this.resize(this.zoom);
    else this.fitWidth();
    this.draw();
    if (stay) this.view.scrollTo(scrollLeft, scrollTop);
    else if (this.marks.current) this.follow(true, false);
    else this.begin();
  }

  /** The first step at the top, in the middle. @private */
  begin() {
    const step = this.nodes()[0]?.getBoundingClientRect();
    const view = this.view.getBoundingClientRect();
    if (step)
      this.view.scrollTo({
        left: this.view.scrollLeft + (step.left + step.right - view.left - view.right) / 2,
        top: 0,
        behavior: "instant",
      });
  }

  /** @private @param {SVGSVGElement} svg */
  prepare(svg) {
    this.size = sizeOf(svg);
    svg.setAttribute("role", "group");
    for (const node of this.nodes()) {
      node.setAttribute("role", "button");
      const words = node.querySelector(".title")?.textContent ?? "";
      node.setAttribute("aria-label", `Step ${node.getAttribute("data-step")}: ${words}`);
    }
  }

  /** @param {Marks} marks */
  mark(marks) {
    const moved = marks.current !== this.marks.current;
    this.marks = marks;
    this.draw();
    if (moved && marks.current) this.follow(false);
  }

  /** @private */
  draw() {
    const { current, path, chosen } = this.marks;
    const walked = new Set(path);
    const edges = [...(this.svg?.querySelectorAll("[data-from][data-to]") ?? [])];
    const lines = walkedLines(
      path,
      edges.map((edge) => [edge.getAttribute("data-from") ?? "", edge.getAttribute("data-to") ?? ""]),
    );
    const nodes = this.nodes();
    for (const node of nodes) {
      const step = node.getAttribute("data-step") ?? "";
      node.classList.toggle("current", step === current);
      node.classList.toggle("walked", walked.has(step) && step !== current);
      node.classList.toggle("chosen", step === chosen);
      if (step === current) node.setAttribute("aria-current", "step");
      else node.removeAttribute("aria-current");
    }
    for (const [index, edge] of edges.entries()) edge.classList.toggle("walked", lines.has(index));
    const first = this.find(chosen) ?? this.find(current) ?? nodes[0];
    if (first && !nodes.includes(/** @type {any} */ (document.activeElement))) this.reachable(first);
  }

  /** @private @param {string} step */
  find(step) {
    return step ? this.nodes().find((node) => node.getAttribute("data-step") === step) : undefined;
  }

  /**
   * Bring the current step into view, unless the person has just moved the diagram.
   * @param {boolean} always @param {boolean} [smooth]
   */
  follow(always, smooth = true) {
    const node = this.find(this.marks.current);
    if (!node || (!always && performance.now() - this.touched < PATIENCE)) return;
    const step = node.getBoundingClientRect();
    const view = this.view.getBoundingClientRect();
    const edge = Math.min(40, view.height / 8);
    const seen = step.top >= view.top + edge && step.bottom <= view.bottom - edge && step.left >= view.left && step.right <= view.right;
    if (seen && !always) return;
    this.view.scrollTo({
      left: this.view.scrollLeft + (step.left + step.right) / 2 - (view.left + view.right) / 2,
      top: this.view.scrollTop + (step.top + step.bottom) / 2 - (view.top + view.bottom) / 2,
      behavior: smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches ? "smooth" : "instant",
    });
  }

  /**
   * @param {number} zoom @param {{x: number, y: number}} [at] The point of the window that stays where it is.
   */
  zoomTo(zoom, at) {
    if (!this.svg) return;
    this.automatic = false;
    this.touched = performance.now();
    const view = this.view.getBoundingClientRect();
    const point = at ?? { x: view.left + view.width / 2, y: view.top + view.height / 2 };
    const before = this.svg.getBoundingClientRect();
    const share = { x: (point.x - before.left) / before.width, y: (point.y - before.top) / before.height };
    this.resize(zoom);
    const after = this.svg.getBoundingClientRect();
    this.view.scrollBy({
      left: after.left + share.x * after.width - point.x,
      top: after.top + share.y * after.height - point.y,
      behavior: "instant",
    });
  }

  /** The whole diagram at once. */
  fit() {
    const { clientWidth, clientHeight } = this.view;
    this.zoomTo(Math.min(1.2, (clientWidth - 16) / this.size.width, (clientHeight - 16) / this.size.height));
  }

  /** As wide as there is room, but never too small to read. @private */
  fitWidth() {
    if (!this.svg || !this.view.clientWidth) return;
    const before = this.zoom;
    this.resize(Math.min(1, Math.max(READABLE, (this.view.clientWidth - 16) / this.size.width)));
    if (before !== this.zoom && this.marks.current) this.follow(false, false);
  }

  /** @private @param {number} zoom */
  resize(zoom) {
    this.zoom = Math.min(LARGEST, Math.max(SMALLEST, zoom));
    this.svg?.setAttribute("width", String(Math.round(this.size.width * this.zoom)));
    this.svg?.setAttribute("height", String(Math.round(this.size.height * this.zoom)));
    setText(this.percent, `${Math.round(this.zoom * 100)} %`);
  }
}

/** @param {string} address */
async function fetchText(address) {
  try {
    const answer = await fetch(address, { cache: "no-cache" });
    return answer.ok ? await answer.text() : "";
  } catch {
    return "";
  }
}
