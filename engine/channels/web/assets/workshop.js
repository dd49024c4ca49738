// @ts-check
/**
 * The workshop pane beside the chat: where the conversation stands, what it knows, and the tools to try things.
 * It draws what the server tells it; it must never guess what the engine would do.
 */

import { Diagram } from "./diagram.js";
import { SourcePanel, Sources } from "./source.js";
import { Actions } from "./workshop_actions.js";
import { ClockBar } from "./workshop_clock.js";
import { Decided } from "./workshop_decided.js";
import { h, iconButton, setText } from "./workshop_dom.js";
import { Findings } from "./workshop_findings.js";
import { FlowBar } from "./workshop_flows.js";
import { Head } from "./workshop_head.js";
import { SaveTest } from "./workshop_save.js";
import { Section } from "./workshop_section.js";
import { VirtualClock } from "./workshop_time.js";
import { Answers } from "./workshop_values.js";
import { Waiting } from "./workshop_waiting.js";

/** @typedef {import("./connection.js").Message} Message */

const STYLES = ["workshop.css", "diagram.css"];

/** The style sheets of the pane, if the page has not linked them itself. */
function link() {
  for (const name of STYLES) {
    const address = new URL(`./${name}`, import.meta.url).href;
    const there = [...document.styleSheets].some((sheet) => sheet.href === address) || document.querySelector(`link[href$="/${name}"]`);
    if (!there) document.head.append(h("link", { rel: "stylesheet", href: address }));
  }
}

/** @param {Workshop} parts */
function sectionsOf({ answers, decided, waiting, actions, save }) {
  return {
    answers: new Section("answers", "Answers", "What this conversation knows by now", answers.element),
    decided: new Section("decided", "What was decided", "Each condition and text that was worked out, and what it gave", decided.element),
    waiting: new Section("waiting", "Waiting for", "Timers, signals from outside, and calls under way", waiting.element),
    actions: new Section(
      "actions",
      "Other systems",
      "Try what happens when another system fails, is slow or answers otherwise",
      actions.element,
    ),
    save: new Section("save", "Save as test", "Keep this conversation as a test", save.element),
  };
}

export class Workshop {
  /**
   * @param {{root: HTMLElement, connection: import("./connection.js").Connection, onClose: () => void}} options
   * `root` is shown and hidden by the page; `onClose` is called when the pane's own close button is pressed.
   */
  constructor({ root, connection, onClose }) {
    this.connection = connection;
    this.opened = false;
    /** @private @type {any} */ this.state = null;
    /** @private @type {any[]} */ this.flows = [];
    /** @private @type {string | null} */ this.watching = null;
    /** @private */ this.person = "";
    /** @private */ this.ticker = 0;
    const send = (/** @type {Message} */ message) => this.send(message);
    const place = (/** @type {string} */ file, /** @type {number} */ line) => void this.showPlace(file, line, "");
    this.clock = new VirtualClock();
    this.sources = new Sources();
    this.head = new Head({ onWatch: (id) => this.watch(id), onClose: () => (this.close(), onClose()) });
    this.clockBar = new ClockBar(this.clock, send);
    this.findings = new Findings((finding) => void this.showPlace(finding.file, finding.line, finding.source ?? ""));
    this.flowBar = new FlowBar(() => this.picked());
    this.diagram = new Diagram({ onStep: (step) => this.choose(step) });
    this.panel = new SourcePanel({ sources: this.sources, onPlace: place, onClose: () => this.draw() });
    this.answers = new Answers();
    this.decided = new Decided(place);
    this.waiting = new Waiting(this.clock, send);
    this.actions = new Actions(send);
    this.save = new SaveTest(send);
    this.sections = sectionsOf(this);
    this.alertText = h("span", {});
    this.alert = h(
      "div",
      { class: "ws-alert", role: "alert", hidden: true },
      this.alertText,
      iconButton("close", "Close", () => (this.alert.hidden = true)),
    );
    link();
    root.dataset.testid = "workshop";
    root.replaceChildren(this.compose());
    this.listen();
  }

  /** The pane is shown: the server sends its state from now on. */
  open() {
    if (this.opened) return;
    this.opened = true;
    this.hello();
    this.ticker = window.setInterval(() => this.tick(), 1000);
    this.draw();
  }

  /** The pane is hidden: no more state. */
  close() {
    if (!this.opened) return;
    this.opened = false;
    clearInterval(this.ticker);
    this.connection.send({ type: "workshop", open: false });
  }

  /** @private */
  compose() {
    this.flowBar.element.append(this.diagram.tools);
    const look = h("div", { class: "ws-look" }, this.flowBar.element, this.diagram.element, this.panel.element);
    const list = h("div", { class: "ws-sections" }, ...Object.values(this.sections).map((section) => section.element));
    const body = h("div", { class: "ws-body" }, look, list);
    return h("div", { class: "ws" }, this.head.element, this.clockBar.element, this.alert, this.findings.element, body);
  }

  /** @private */
  listen() {
    const { connection } = this;
    /** @type {Record<string, (message: any) => void>} */
    const handlers = {
      welcome: (message) => this.welcome(message),
      state: (message) => this.take(message),
      findings: (message) => this.findings.show(message),
      clock: (message) => this.turned(message),
      flows: (message) => void this.reloaded(message),
      saved_test: (message) => this.save.saved(message),
      error: (message) => this.fail(message.text),
    };
    for (const [type, run] of Object.entries(handlers)) connection.on(type, run);
    for (const type of ["welcome", "flows", "clock", "findings", "state"]) {
      const before = connection.last(type);
      if (before) handlers[type](before);
    }
  }

  /** @private */
  hello() {
    const sent = this.connection.send({ type: "workshop", open: true });
    if (sent && this.watching) this.connection.send({ type: "watch", conversation: this.watching });
  }

  /** @private @param {any} message */
  welcome(message) {
    if (message.person?.id !== this.person) Object.assign(this, { person: message.person?.id, state: null, watching: null });
    this.flows = message.flows ?? [];
    if (message.clock) this.clock.set(message.clock);
    const tools = [this.clockBar.element, this.sections.actions.element, this.sections.save.element];
    for (const tool of tools) tool.hidden = message.workshop === false;
    void this.refresh();
    if (this.opened) this.hello();
  }

  /** @private @param {any} message */
  take(message) {
    const known = message.conversations?.some((/** @type {any} */ { id }) => id === this.watching);
    if (message.shown?.id !== this.watching && !known) this.watching = null;
    this.state = message;
    this.draw();
  }

  /** @private @param {any} message */
  turned(message) {
    this.clock.set(message);
    this.tick();
  }

  /** New flows are live: diagrams and files are fetched again. @private @param {any} message */
  async reloaded(message) {
    this.flows = message.flows ?? this.flows;
    await this.refresh();
  }

  /** @private */
  async refresh() {
    this.sources.forget();
    if (!this.isLive(this.panel.flow)) this.panel.close();
    this.draw();
    await Promise.all([this.diagram.refresh(), this.panel.again()]);
    this.draw();
  }

  /** @private @param {string} flow */
  isLive(flow) {
    return this.flows.some(({ name }) => name === flow);
  }

  /** @private @param {Message} message @returns {boolean} */
  send(message) {
    this.alert.hidden = true;
    const sent = this.connection.send(message);
    if (!sent) this.fail("There is no connection to the bot at the moment. Please try again.");
    return sent;
  }

  /** @private @param {string} text */
  fail(text) {
    this.save.failed(text);
    setText(this.alertText, text);
    this.alert.hidden = !text;
  }

  /** @private @param {string | null} conversation */
  watch(conversation) {
    this.watching = conversation;
    this.send({ type: "watch", conversation });
  }

  /** Another flow is on show: the lines of the one before go. @private */
  picked() {
    this.draw();
    if (this.panel.flow !== this.flowBar.flow) this.panel.close();
  }

  /** Show a step's lines; the same step again closes them. @private @param {string} step */
  choose(step) {
    const { flow } = this.flowBar;
    if (!this.panel.element.hidden && this.panel.step === step && this.panel.flow === flow) {
      this.panel.close();
      this.draw();
      return;
    }
    void this.panel.show(flow, step).then(() => this.reveal());
  }

  /** @private @param {string} file @param {number} line @param {string} expected */
  async showPlace(file, line, expected) {
    const flow = await this.sources.flowOf(
      file,
      this.flows.map(({ name }) => name),
    );
    if (!flow) {
      this.fail(`${file} is not one of the flows that are live, so its lines cannot be shown here.`);
      return;
    }
    this.flowBar.pick(flow);
    await this.panel.showLine(flow, line, expected);
    this.reveal();
  }

  /** @private */
  reveal() {
    this.draw();
    this.panel.element.scrollIntoView({ block: "nearest" });
  }

  /** @private */
  tick() {
    this.clockBar.tick();
    this.waiting.tick();
  }

  /** Everything from the newest state; forms and scroll positions stay as they are. @private */
  draw() {
    if (!this.opened) return;
    const shown = this.state?.shown ?? null;
    this.head.show(this.state, this.watching);
    this.clockBar.show(this.state?.next ?? null);
    this.flowBar.show(shown, this.flows);
    if (this.state) this.drawDiagram(shown);
    const frame = this.flowBar.frame ?? shown?.frames?.at(-1) ?? null;
    const data = frame?.data ?? {};
    const evaluations = shown?.evaluations ?? [];
    this.answers.show(`${shown?.id} ${frame?.flow}`, data);
    this.decided.show(evaluations);
    this.waiting.show(shown);
    this.actions.show(shown?.actions ?? [], this.state?.rigs ?? []);
    this.save.show(shown?.id ?? null);
    this.count(data, evaluations);
  }

  /** @private @param {any} shown */
  drawDiagram(shown) {
    const { flow, frame } = this.flowBar;
    const { panel } = this;
    const chosen = panel.element.hidden || panel.flow !== flow ? "" : panel.step;
    void this.diagram.show(this.isLive(flow) ? flow : "");
    this.diagram.mark({ current: frame?.step ?? "", path: frame?.path ?? [], chosen });
    if (panel.element.hidden) return;
    const own = shown?.frames?.findLast((/** @type {any} */ other) => other.flow === panel.flow);
    panel.lit(own?.step ?? "");
    panel.facts({ data: own?.data ?? {}, evaluations: own ? (shown?.evaluations ?? []) : [] });
  }

  /** @private @param {Record<string, any>} data @param {any[]} evaluations */
  count(data, evaluations) {
    const failed = evaluations.some((event) => event.items.some((/** @type {any} */ item) => item.ok === false));
    const rigs = this.state?.rigs?.length ?? 0;
    this.sections.answers.count(Object.keys(data).length);
    this.sections.decided.count(failed ? "error" : 0, failed);
    this.sections.waiting.count(this.waiting.number);
    this.sections.actions.count(rigs ? `${rigs} set` : 0);
  }
}
