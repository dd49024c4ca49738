// @ts-check
/**
 * The bottom of the chat: text, commands, attachments, the keyboard for sharing a number or a place, and the big
 * start button. It says what the customer wants to send; sending is app.js's business.
 */

import { beside, hereButton } from "./dialogs.js";
import { button, element, icon } from "./html.js";

/**
 * @typedef {{command: string, title: string}} Command
 * @typedef {{text: (text: string) => void, contact: (phone: string) => void, location: (latitude: number, longitude: number) => void,
 *   files: (files: Iterable<File>, how: "file" | "photo") => void, lastText: () => string, phone: () => string}} Does
 */

export const LONGEST_TEXT = 4096;
const LINES = 6;
const DRAFT = "stepgram.draft.";

export class Composer {
  /** @param {{root: HTMLElement, dialogs: import("./dialogs.js").Dialogs, does: Does}} parts */
  constructor({ root, dialogs, does }) {
    this.dialogs = dialogs;
    this.does = does;
    /** @type {Command[]} */
    this.commands = [];
    this.chosen = -1;
    this.person = "";
    this.input = textField();
    this.menu = button({ class: "menu-button", "aria-label": "Menu: commands", "data-testid": "menu" });
    this.send = button({ class: "round send", "aria-label": "Send", "data-testid": "send" }, icon("send"));
    this.over = element("span", { class: "over", role: "status", hidden: true });
    this.bar = this.#makeBar();
    this.list = element("div", { class: "commands", id: "commands", role: "listbox", "aria-label": "Commands" });
    this.share = element("div", { class: "share", role: "group", "aria-label": "Quick answers", hidden: true });
    this.start = button({ class: "start", "data-testid": "start", hidden: true }, "Start");
    this.start.addEventListener("click", () => does.text("/start"));
    root.append(this.list, this.start, this.bar, this.share);
    document.addEventListener("click", (event) => {
      const at = /** @type {Node} */ (event.target);
      if (!this.list.contains(at) && !this.menu.contains(at) && at !== this.input) this.#closeList();
    });
    document.addEventListener("keydown", (event) => this.#typedElsewhere(event));
    this.#closeList();
    this.#grow();
  }

  #makeBar() {
    this.menu.append(icon("menu"), element("span", {}, "Menu"));
    const attach = this.#attachment();
    const box = element("div", { class: "box-in" }, this.menu, this.input, this.over, ...attach);
    this.menu.addEventListener("click", () => (this.list.hidden ? this.#openList(this.commands) : this.#closeList()));
    this.send.addEventListener("click", () => this.#submit());
    this.input.addEventListener("input", () => this.#changed());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    return element("div", { class: "composer" }, box, this.send);
  }

  /** The attach button with its two entries, and the real inputs behind them. */
  #attachment() {
    const file = this.#fileInput("file-input", "file", "");
    const photo = this.#fileInput("photo-input", "photo", "image/*");
    const choices = element("div", { class: "popover attach-menu", id: "attach-menu", popover: "auto" });
    const byPhoto = button({ class: "item", "data-testid": "attach-photo" }, icon("photo"), "Photo");
    const byFile = button({ class: "item", "data-testid": "attach-file" }, icon("file"), "File");
    choices.append(byPhoto, byFile);
    choices.addEventListener("click", (event) => {
      choices.hidePopover();
      (byPhoto.contains(/** @type {Node} */ (event.target)) ? photo : file).click();
    });
    const attach = button(
      { class: "round flat", "aria-label": "Attach a file", "data-testid": "attach" },
      icon("attach"),
    );
    attach.setAttribute("popovertarget", "attach-menu");
    beside(choices, attach, "above");
    return [attach, choices, file, photo];
  }

  /** @param {string} testid @param {"file" | "photo"} how @param {string} accept */
  #fileInput(testid, how, accept) {
    const input = /** @type {HTMLInputElement} */ (
      element("input", {
        type: "file",
        multiple: true,
        hidden: true,
        tabindex: -1,
        "aria-label": how,
        "data-testid": testid,
        accept: accept || null,
      })
    );
    input.addEventListener("change", () => {
      this.does.files([...(input.files ?? [])], how);
      input.value = "";
      this.focus();
    });
    return input;
  }

  focus() {
    if (matchMedia("(hover: hover) and (pointer: fine)").matches) this.input.focus({ preventScroll: true });
  }

  /** @param {Command[]} commands */
  setCommands(commands) {
    this.commands = commands;
    this.menu.hidden = commands.length === 0;
    if (!this.list.hidden) this.#changed();
  }

  /** Whose draft is in the field. @param {string} person */
  become(person) {
    if (this.person === person) return;
    const early = this.person === "" ? this.input.value : ""; // typed before the server said who this is
    this.person = person;
    this.input.value = early || (sessionStorage.getItem(DRAFT + person) ?? "");
    this.#changed();
  }

  /** @param {boolean} wanted */
  setStart(wanted) {
    this.start.hidden = !wanted;
  }

  /** What the newest question can be answered with. @param {{contact?: string, location?: string}} share */
  setShare(share) {
    const made = [];
    if (share.contact) made.push(this.#shareKey(share.contact, "share-contact", () => this.#askContact()));
    if (share.location) made.push(this.#shareKey(share.location, "share-location", () => this.#askLocation()));
    const before = [...this.share.children].map((key) => key.textContent).join("\n");
    if (before === made.map((key) => key.textContent).join("\n")) return;
    this.share.replaceChildren(...made);
    this.share.hidden = made.length === 0;
  }

  /** @param {string} label @param {string} testid @param {() => void} act */
  #shareKey(label, testid, act) {
    return element("button", { type: "button", class: "share-key", "data-testid": testid, onclick: act }, label);
  }

  async #askContact() {
    const given = await this.dialogs.form({
      title: "Share your phone number?",
      text: "The bot will see this number.",
      fields: [
        {
          name: "phone",
          label: "Phone number",
          value: this.does.phone(),
          type: "tel",
          testid: "contact-phone",
          maxlength: 32,
          pattern: "\\s*\\+?[\\d\\s\\(\\)\\/.\\-]{5,}",
          title: "A phone number, such as +49 30 901820",
          autocomplete: "tel",
        },
      ],
      submit: "Share",
      testid: "contact",
    });
    if (given?.phone.trim()) this.does.contact(given.phone.trim());
    this.focus();
  }

  async #askLocation() {
    const degrees = { type: "number", step: "any", inputmode: "decimal" };
    const given = await this.dialogs.form({
      title: "Share a location?",
      text: "The bot will see this place.",
      fields: [
        {
          name: "latitude",
          label: "Latitude",
          value: "52.52",
          min: "-90",
          max: "90",
          testid: "location-latitude",
          ...degrees,
        },
        {
          name: "longitude",
          label: "Longitude",
          value: "13.405",
          min: "-180",
          max: "180",
          testid: "location-longitude",
          ...degrees,
        },
      ],
      submit: "Share",
      testid: "location",
      extra: (form) => ("geolocation" in navigator ? hereButton(form, this.dialogs) : null),
    });
    if (given) this.does.location(Number(given.latitude), Number(given.longitude));
    this.focus();
  }

  #submit() {
    const text = this.input.value.trim();
    if (!text) return;
    const length = [...text].length;
    if (length > LONGEST_TEXT) {
      this.dialogs.toast(`This text has ${length} characters; ${LONGEST_TEXT} at most can be sent.`);
      return;
    }
    this.input.value = "";
    this.#changed();
    this.#closeList();
    this.does.text(text);
    this.input.focus({ preventScroll: true });
  }

  #changed() {
    const text = this.input.value;
    const left = text.length > LONGEST_TEXT - 200 ? LONGEST_TEXT - [...text.trim()].length : LONGEST_TEXT;
    this.over.hidden = left > 100;
    this.over.textContent = String(left).replace("-", "−");
    this.over.classList.toggle("too-long", left < 0);
    this.send.classList.toggle("ready", text.trim() !== "");
    if (text) sessionStorage.setItem(DRAFT + this.person, text);
    else sessionStorage.removeItem(DRAFT + this.person);
    this.#grow();
    const typed = /^\/(\w*)$/.exec(text);
    if (typed)
      this.#openList(
        this.commands.filter(({ command }) => command.replace(/^\//, "").startsWith(typed[1].toLowerCase())),
        0,
      );
    else this.#closeList();
  }

  #grow() {
    // While the text is measured the bar keeps its height: the log above must not move.
    this.bar.style.minHeight = `${this.bar.offsetHeight}px`;
    this.input.style.height = "auto";
    const line = parseFloat(getComputedStyle(this.input).lineHeight) || 21;
    const padding = 2 * 8;
    this.input.style.height = `${Math.min(this.input.scrollHeight, LINES * line + padding)}px`;
    this.input.classList.toggle("long", this.input.scrollHeight > LINES * line + padding + 1);
    this.bar.style.minHeight = "";
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    if (!this.list.hidden && this.#listKey(event)) {
      event.preventDefault();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && this.input.value === "" && this.does.lastText()) {
      event.preventDefault();
      this.input.value = this.does.lastText();
      this.#changed();
    }
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
  #listKey(event) {
    const items = [...this.list.children];
    if (event.key === "Escape") {
      this.#closeList();
      return true;
    }
    if (!items.length) return false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.#choose((this.chosen + (event.key === "ArrowDown" ? 1 : items.length - 1) + items.length) % items.length);
      return true;
    }
    const command = /** @type {HTMLElement | undefined} */ (items[this.chosen])?.dataset.command;
    if (!command) return false;
    if (event.key === "Tab" && !event.shiftKey) {
      this.input.value = `${command} `;
      this.#changed();
      return true;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      this.#run(command);
      return true;
    }
    return false;
  }

  /** @param {Command[]} commands @param {number} [chosen] */
  #openList(commands, chosen = -1) {
    const items = commands.map(({ command, title }, index) => {
      const name = `/${command.replace(/^\//, "")}`;
      const item = element("button", {
        type: "button",
        class: "item",
        role: "option",
        id: `command-${index}`,
        "aria-selected": "false",
        "data-testid": "menu-item",
        "data-command": name,
        onclick: () => this.#run(name),
      });
      item.append(element("span", { class: "command-name" }, name), element("span", { class: "command-title" }, title));
      return item;
    });
    this.list.replaceChildren(...items);
    this.list.hidden = items.length === 0;
    this.menu.setAttribute("aria-expanded", String(!this.list.hidden));
    this.#choose(items.length ? chosen : -1);
  }

  #closeList() {
    this.list.hidden = true;
    this.menu.setAttribute("aria-expanded", "false");
    this.#choose(-1);
  }

  /** @param {number} index */
  #choose(index) {
    this.chosen = index;
    for (const [at, item] of [...this.list.children].entries()) {
      item.setAttribute("aria-selected", String(at === index));
      if (at === index) item.scrollIntoView({ block: "nearest" });
    }
    if (index >= 0) this.input.setAttribute("aria-activedescendant", `command-${index}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {string} command */
  #run(command) {
    this.#closeList();
    if (this.input.value.startsWith("/")) this.input.value = "";
    this.#changed();
    this.does.text(command);
    this.focus();
  }

  /** Typing goes into the field wherever the focus is, as long as nothing else takes letters. @param {KeyboardEvent} event */
  #typedElsewhere(event) {
    if (event.key === "Escape" && !this.list.hidden) this.#closeList();
    const at = /** @type {HTMLElement} */ (event.target);
    const busy = at.closest("input, textarea, select, dialog, [contenteditable], [popover], aside");
    if (busy || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || event.key === " ") return;
    this.input.focus({ preventScroll: true });
  }
}

function textField() {
  const field = element("textarea", { rows: 1, placeholder: "Message", "aria-label": "Message", autocomplete: "off" });
  field.dataset.testid = "composer";
  field.setAttribute("enterkeyhint", "send");
  field.setAttribute("aria-controls", "commands");
  return /** @type {HTMLTextAreaElement} */ (field);
}
