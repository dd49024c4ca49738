// @ts-check
/**
 * “Save as test”: the conversation as a test that runs from then on. Must never write one itself: the server does.
 */

import { h, setText } from "./workshop_dom.js";

const PATIENCE = 20000;

export class SaveTest {
  /** @param {(message: import("./connection.js").Message) => boolean} send */
  constructor(send) {
    this.send = send;
    /** @private @type {string | null} */ this.conversation = null;
    /** @private */ this.timer = 0;
    this.name = h("input", {
      class: "ws-input",
      testid: "save-name",
      maxlength: "60",
      placeholder: "order with delivery",
      autocomplete: "off",
      "aria-label": "Name of the test",
    });
    this.submit = h(
      "button",
      { type: "submit", class: "ws-button ws-primary", testid: "save-test", title: "Writes what was said so far as a test, and runs it" },
      "Save as test",
    );
    this.path = h("code", {});
    this.words = h("span", {});
    this.difference = h("pre", { class: "ws-difference", tabindex: "0" });
    this.result = h(
      "div",
      { class: "ws-result", testid: "save-result", role: "status", hidden: true },
      h("p", {}, this.words, " ", this.path),
      this.difference,
    );
    const save = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.save();
    };
    const hint = h(
      "p",
      { class: "ws-muted ws-hint" },
      "This conversation becomes a file beside your flows. From then on it is checked that the bot still answers like this.",
    );
    this.element = h("div", {}, hint, h("form", { class: "ws-save", on: { submit: save } }, this.name, this.submit), this.result);
  }

  /** @param {string | null} conversation The one shown. */
  show(conversation) {
    if (conversation !== this.conversation && !this.submit.disabled) this.result.hidden = true;
    this.conversation = conversation;
  }

  /** @private */
  save() {
    const name = this.name.value.trim();
    if (!name) {
      this.tell("wrong", "Please give the test a name.");
      this.name.focus();
      return;
    }
    const asked = { type: "save_test", name, ...(this.conversation ? { conversation: this.conversation } : {}) };
    if (!this.send(asked)) return;
    this.submit.disabled = true;
    this.tell("busy", "Saving and trying it…");
    this.timer = window.setTimeout(() => this.failed("No answer yet. Is the bot still running?"), PATIENCE);
  }

  /** @param {{ok: boolean, path?: string, passed?: boolean, text?: string}} message */
  saved(message) {
    this.ready();
    const [words, ...lines] = (message.text || "The test could not be saved.").split("\n");
    if (!message.ok) this.tell("wrong", words, "", lines.join("\n").replace(/^\n+/, ""));
    else if (message.passed) this.tell("passed", "Saved, and it passes:", message.path);
    else this.tell("wrong", "Saved, but it does not pass yet:", message.path, message.text);
  }

  /** Something went wrong before there was a result. @param {string} text */
  failed(text) {
    if (!this.submit.disabled) return;
    this.ready();
    this.tell("wrong", text);
  }

  /** @private */
  ready() {
    clearTimeout(this.timer);
    this.submit.disabled = false;
  }

  /** @private @param {string} state @param {string} words @param {string} [path] @param {string} [difference] */
  tell(state, words, path = "", difference = "") {
    this.result.hidden = false;
    this.result.dataset.state = state;
    setText(this.words, words);
    setText(this.path, path);
    setText(this.difference, difference);
    this.difference.hidden = !difference;
    this.result.scrollIntoView({ block: "nearest" });
  }
}
