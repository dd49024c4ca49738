// @ts-check
/**
 * The header: the bot, whether it is there, who this tab speaks for, language, roles, theme and the workshop's
 * button. It says what was chosen; changing it is app.js's business.
 */

import { beside } from "./dialogs.js";
import { button, element, icon } from "./html.js";

/**
 * @typedef {{id: string, name: string, language: string, roles: string[], phone: string}} Person
 * @typedef {{id: string, name: string, here: boolean}} Other
 * @typedef {{become: (person: string) => void, change: (what: object) => void, workshop: () => void}} Does
 */

const THEME = "stepgram.theme";
const THEMES = ["auto", "light", "dark"];
const COLOURS = 7;

/** The theme that was chosen on this machine; called before anything is drawn. */
export function applyTheme() {
  const theme = localStorage.getItem(THEME) ?? "auto";
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  return THEMES.includes(theme) ? theme : "auto";
}

/** A round sign with initials. @param {string} name @param {string} key decides the colour */
export function avatar(name, key) {
  const letters = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const last = letters.length > 1 ? letters[letters.length - 1] : "";
  const initials =
    [...(letters[0] ?? "")].slice(0, 1).join("") + (/^\d\d?$/.test(last) ? last : [...last].slice(0, 1).join(""));
  const colour = [...key].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7) % COLOURS;
  return element("span", { class: `avatar colour-${colour}`, "aria-hidden": "true" }, initials.toUpperCase());
}

export class Header {
  /** @param {{root: HTMLElement, does: Does}} parts */
  constructor({ root, does }) {
    this.does = does;
    this.sign = element("span", { class: "bot-sign" }, avatar("S", ""));
    this.name = element("h1", {}, "Stepgram");
    this.status = element("span", { class: "status", "data-testid": "status", role: "status" }, "connecting…");
    const title = element("div", { class: "title" }, this.name, this.status);
    this.who = button({ class: "who", "data-testid": "person-switch", "aria-haspopup": "dialog" });
    this.who.setAttribute("popovertarget", "people");
    this.panel = element("div", { class: "popover people", id: "people", popover: "auto", role: "dialog" });
    this.panel.setAttribute("aria-label", "Customer");
    this.theme = button({ class: "round flat", "data-testid": "theme", onclick: () => this.#nextTheme() });
    this.workshop = button({ class: "round flat", "data-testid": "workshop-toggle", hidden: true }, icon("workshop"));
    this.workshop.setAttribute("aria-label", "Workshop");
    this.workshop.setAttribute("aria-controls", "workshop");
    this.workshop.title = "Workshop: diagram, data, clock";
    this.workshop.addEventListener("click", () => does.workshop());
    this.language = /** @type {HTMLSelectElement} */ (element("select", { "data-testid": "language", hidden: true }));
    this.language.setAttribute("aria-label", "Language of the customer");
    this.language.addEventListener("change", () => does.change({ language: this.language.value }));
    this.list = element("div", { class: "people-list", role: "group", "aria-label": "Customers" });
    this.input = /** @type {HTMLInputElement} */ (element("input", { type: "text", "data-testid": "person-name" }));
    this.input.maxLength = 64;
    this.input.autocomplete = "off";
    this.roles = element("fieldset", { class: "roles", "data-testid": "roles", hidden: true });
    root.append(this.sign, title, this.language, this.who, this.panel, this.theme, this.workshop);
    beside(this.panel, this.who, "below");
    this.#makePanel();
    this.#showTheme(applyTheme());
  }

  #makePanel() {
    const another = element("button", {
      type: "button",
      class: "item",
      "data-testid": "new-person",
      onclick: () => this.#become("new"),
    });
    another.append(element("span", { class: "avatar add", "aria-hidden": "true" }, icon("plus")), "New customer");
    this.input.addEventListener("change", () => {
      const name = this.input.value.trim();
      if (name) this.does.change({ name });
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // else the same key opens the panel again: the focus is on its button by then
      this.input.blur();
      this.panel.hidePopover();
    });
    this.panel.append(
      element("p", { class: "hint" }, "Who is writing? Every customer has a chat of their own."),
      this.list,
      another,
      element("label", { class: "field" }, element("span", {}, "Name"), this.input),
      this.roles,
    );
  }

  /** @param {{person: Person, people: Other[], bot?: string, languages?: string[], roles?: string[]}} what */
  show({ person, people, bot, languages, roles }) {
    if (bot !== undefined) this.#showBot(bot);
    this.who.replaceChildren(
      avatar(person.name, person.id),
      element("span", { class: "who-name" }, person.name),
      icon("down"),
    );
    this.who.setAttribute("aria-label", `Customer: ${person.name}. Change`);
    this.list.replaceChildren(...people.map((other) => this.#personItem(other, other.id === person.id)));
    if (document.activeElement !== this.input) this.input.value = person.name;
    if (languages) this.#showLanguages(languages);
    this.language.value = person.language;
    if (roles) this.#showRoles(roles);
    for (const box of this.roles.querySelectorAll("input")) box.checked = person.roles.includes(box.value);
  }

  /** @param {string} bot */
  #showBot(bot) {
    this.name.textContent = bot;
    this.name.title = bot;
    document.title = bot;
    this.sign.replaceChildren(avatar(bot, bot));
  }

  /** @param {Other} other @param {boolean} current */
  #personItem(other, current) {
    const item = element("button", {
      type: "button",
      class: "item",
      "data-testid": "person",
      "data-person": other.id,
      "aria-current": current ? "true" : null,
    });
    item.append(avatar(other.name, other.id), element("span", { class: "item-name" }, other.name));
    if (current) item.append(icon("check"));
    else if (other.here) item.append(element("span", { class: "here" }, "open"));
    item.addEventListener("click", () => (current ? this.panel.hidePopover() : this.#become(other.id)));
    return item;
  }

  /** @param {string} person */
  #become(person) {
    this.panel.hidePopover();
    this.does.become(person);
  }

  /** @param {string[]} languages */
  #showLanguages(languages) {
    this.language.replaceChildren(
      ...languages.map((code) => element("option", { value: code, title: languageName(code) }, code.toUpperCase())),
    );
    this.language.hidden = languages.length < 2;
  }

  /** @param {string[]} roles */
  #showRoles(roles) {
    const boxes = roles.map((role) => {
      const box = element("input", { type: "checkbox", value: role, "data-testid": `role-${role}` });
      box.addEventListener("change", () => {
        const given = [...this.roles.querySelectorAll("input")].filter((one) => one.checked).map((one) => one.value);
        this.does.change({ roles: given });
      });
      return element("label", { class: "check" }, box, role);
    });
    this.roles.replaceChildren(element("legend", {}, "Roles"), ...boxes);
    this.roles.hidden = roles.length === 0;
  }

  /** @param {string} text @param {boolean} active */
  setStatus(text, active) {
    if (this.status.textContent !== text) this.status.textContent = text;
    this.status.classList.toggle("active", active);
  }

  /** @param {boolean} there @param {boolean} open */
  setWorkshop(there, open) {
    this.workshop.hidden = !there;
    this.workshop.setAttribute("aria-expanded", String(open));
    this.workshop.classList.toggle("on", open);
  }

  #nextTheme() {
    const now = localStorage.getItem(THEME) ?? "auto";
    const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    localStorage.setItem(THEME, next);
    this.#showTheme(applyTheme());
  }

  /** @param {string} theme */
  #showTheme(theme) {
    this.theme.replaceChildren(icon(theme));
    this.theme.dataset.value = theme;
    this.theme.setAttribute("aria-label", `Theme: ${theme}. Change`);
    this.theme.title = `Theme: ${theme}`;
  }
}

/** @param {string} code */
function languageName(code) {
  try {
    return new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
