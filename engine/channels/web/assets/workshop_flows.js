// @ts-check
/**
 * Which flow the diagram shows: the conversation's own, one it has called, or any other that the person picks.
 */

import { button, h, keep, setOptions } from "./workshop_dom.js";

export class FlowBar {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    /** The flow on show; empty: none. */
    this.flow = "";
    /** @type {any} Where the conversation stands in it, or null. */
    this.frame = null;
    /** @private Picked by the person; empty: follow the conversation. */
    this.picked = "";
    /** @private Which frame of the conversation; -1: the innermost. */
    this.level = -1;
    /** @private */ this.conversation = "";
    /** @private */ this.depth = 0;
    const change = () => this.pick(this.select.value);
    this.select = h("select", {
      class: "ws-input",
      testid: "flow-select",
      title: "Look at any flow",
      "aria-label": "Flow on show",
      on: { change },
    });
    this.back = button("Follow the conversation", () => this.pick(""), { title: "Back to the flow that the customer is in", hidden: true });
    this.crumbs = h("ol", { class: "ws-crumbs", "aria-label": "Flows that called each other" });
    this.element = h("div", { class: "ws-flowbar" }, this.select, this.back, this.crumbs);
  }

  /** Show this flow from now on; empty: the conversation's. @param {string} flow */
  pick(flow) {
    this.picked = flow;
    this.level = -1;
    this.onChange();
  }

  /** @param {any} shown The conversation, or null. @param {readonly {name: string, title: string}[]} flows */
  show(shown, flows) {
    const frames = /** @type {any[]} */ (shown?.frames ?? []);
    if ((shown?.id ?? "") !== this.conversation) this.picked = "";
    if (frames.length !== this.depth || (shown?.id ?? "") !== this.conversation) this.level = -1;
    this.conversation = shown?.id ?? "";
    this.depth = frames.length;
    if (this.picked && !flows.some(({ name }) => name === this.picked)) this.picked = "";
    if (this.picked === frames.at(-1)?.flow) this.picked = "";
    const own = frames.at(this.level);
    this.flow = this.picked || own?.flow || shown?.flow || flows[0]?.name || "";
    this.frame = this.picked && own?.flow !== this.picked ? (frames.findLast(({ flow }) => flow === this.picked) ?? null) : (own ?? null);
    this.drawSelect(flows);
    this.back.hidden = !shown || (!this.picked && this.frame === (frames.at(-1) ?? null));
    this.drawCrumbs(frames, flows);
  }

  /** @private @param {readonly {name: string, title: string}[]} flows */
  drawSelect(flows) {
    const options = flows.map(({ name, title }) => ({ value: name, label: title || name }));
    if (this.flow && !flows.some(({ name }) => name === this.flow)) options.unshift({ value: this.flow, label: this.flow });
    setOptions(this.select, options);
    if (document.activeElement !== this.select || this.select.value !== this.flow) this.select.value = this.flow;
  }

  /** @private @param {any[]} frames @param {readonly {name: string, title: string}[]} flows */
  drawCrumbs(frames, flows) {
    this.crumbs.hidden = frames.length < 2;
    const crumbs =
      frames.length < 2 ? [] : frames.map(({ flow }, level) => ({ flow, level, title: flows.find(({ name }) => name === flow)?.title }));
    keep(this.crumbs, crumbs, {
      key: ({ flow, level }) => `${level} ${flow}`,
      make: ({ flow, level, title }) =>
        h(
          "li",
          {},
          button(flow, () => this.enter(level), { class: "ws-link", title: title ?? flow }),
        ),
      update: (item, { level }) => {
        if (frames[level] === this.frame) item.firstElementChild.setAttribute("aria-current", "true");
        else item.firstElementChild.removeAttribute("aria-current");
      },
    });
  }

  /** @private @param {number} level */
  enter(level) {
    this.picked = "";
    this.level = level;
    this.onChange();
  }
}
