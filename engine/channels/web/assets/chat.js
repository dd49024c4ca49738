// @ts-check
/**
 * The log: puts rows where they belong, edits in place, keeps the reader's place, shows typing and days. What a row
 * looks like is chat-bubbles.js's business.
 */

import { entryRow, pendingRow, setTick } from "./chat-bubbles.js";
import { button, element, icon } from "./html.js";

/**
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {import("./store.js").Pending} Pending
 */

const NEAR = 80;
const SPINNING = 15000;
const TAKEN_AFTER = 1500;

export class Chat {
  /**
   * @param {{log: HTMLElement, bottom: HTMLElement, store: import("./store.js").Store, connection: import("./connection.js").Connection,
   *   dialogs: import("./dialogs.js").Dialogs, onCommand: (text: string) => void, now: () => Date}} parts
   */
  constructor({ log, bottom, store, connection, dialogs, onCommand, now }) {
    this.log = log;
    this.store = store;
    this.connection = connection;
    this.now = now;
    this.rows = element("div", { class: "rows" });
    this.loading = element("div", { class: "loading", hidden: true }, element("span", { class: "spinner" }));
    this.typing = element("div", { class: "row in typing", "data-testid": "typing", hidden: true });
    this.typing.append(
      element("div", { class: "bubble", "aria-label": "typing" }, element("i"), element("i"), element("i")),
    );
    log.append(this.loading, this.rows, this.typing);
    this.count = element("span", { class: "count", hidden: true });
    this.jump = button({ class: "round jump", "aria-label": "New messages", "data-testid": "jump", hidden: true });
    this.jump.append(icon("down"), this.count);
    this.jump.addEventListener("click", () => this.toEnd(true));
    bottom.append(this.jump);
    /** @type {Map<number, HTMLElement>} */
    this.byEntry = new Map();
    /** @type {Map<string, HTMLElement>} */
    this.byInput = new Map();
    /** @type {Map<string, {button: HTMLElement, timer: number}>} */
    this.presses = new Map();
    this.pinned = true;
    /** Where the log stood when the page moved it last: what lies above was reached by the reader. */
    this.top = 0;
    /** How far down the log could be moved then. */
    this.end = 0;
    this.gliding = 0;
    this.older = false;
    this.asked = false;
    this.unread = 0;
    /** @type {Set<number>} entries of the customer that the bot has not taken yet, as far as is known */
    this.untaken = new Set();
    this.acts = {
      press: (/** @type {Entry} */ entry, /** @type {string} */ data, /** @type {HTMLElement} */ button) =>
        this.#press(data, button),
      command: onCommand,
      enlarge: (/** @type {string} */ address, /** @type {string} */ label) => dialogs.enlarge(address, label),
    };
    this.#watch();
  }

  #watch() {
    this.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.log.addEventListener("scrollend", () => this.gliding && this.toEnd(), { passive: true });
    for (const moved of ["wheel", "touchmove"]) {
      this.log.addEventListener(moved, () => this.gliding && this.#strayed(), { passive: true });
    }
    const sizes = new ResizeObserver(() => this.pinned && this.toEnd());
    sizes.observe(this.log);
    sizes.observe(this.rows);
    sizes.observe(this.typing);
    this.connection.on("notice", (notice) => this.#released(notice.id));
    this.connection.on("refused", (refused) => this.#released(refused.id));
    this.connection.on("typing", ({ on }) => this.setTyping(on));
    this.connection.on("connection", ({ state }) => {
      this.asked = false;
      this.loading.hidden = true;
      if (state !== "open") this.setTyping(false);
      // What was acknowledged before the connection was lost gets no notice any more.
      else for (const id of [...this.presses.keys()]) if (!this.connection.waiting(id)) this.#release(id);
    });
  }

  clear() {
    this.store.clear();
    this.rows.replaceChildren();
    this.byEntry.clear();
    this.byInput.clear();
    this.untaken.clear();
    for (const id of [...this.presses.keys()]) this.#release(id);
    this.older = false;
    this.setTyping(false);
    this.toEnd();
  }

  /** @param {{entries: Entry[], older: boolean, prepend: boolean}} page */
  page({ entries, older, prepend }) {
    const first = entries.length ? entries[0].id : 0;
    if (prepend || this.store.oldest === 0 || first <= this.store.oldest) this.older = older;
    if (prepend) {
      this.asked = false;
      this.loading.hidden = true;
    }
    this.log.setAttribute("aria-busy", "true");
    this.#keeping(() => {
      for (const entry of entries) this.#put(entry, "taken");
      this.#days();
    });
    this.log.removeAttribute("aria-busy");
    if (prepend || entries.length) this.#scrolled();
  }

  /** A new or edited entry, as it happens. @param {Entry} entry */
  arrived(entry) {
    this.#keeping(() => {
      const what = this.#put(entry, "sent");
      if (what === "known") return;
      if (entry.from === "bot") this.taken();
      if (what === "new") this.#noticed(entry);
      this.#days();
    });
  }

  /** @param {Entry} entry */
  #noticed(entry) {
    const row = this.byEntry.get(entry.id);
    row?.classList.add("fresh");
    if (entry.from === "customer") {
      this.untaken.add(entry.id);
      setTimeout(() => this.typing.hidden && this.taken(), TAKEN_AFTER);
    } else if (!this.pinned) {
      this.unread += 1;
    }
    this.#badge();
  }

  /** The bot has answered: everything sent so far was taken. */
  taken() {
    for (const id of this.untaken) {
      const row = this.byEntry.get(id);
      if (row) setTick(row, "taken");
    }
    this.untaken.clear();
  }

  /** Show an input that is on its way. @param {Pending} pending */
  expect(pending) {
    if (!this.store.expect(pending)) return;
    this.pinned = true;
    this.#keeping(() => {
      const row = pendingRow(pending, this.acts);
      if (pending.state === "failed") row.dataset.after = String(this.store.newest);
      row.classList.add("fresh");
      this.byInput.get(pending.id)?.remove();
      this.byInput.set(pending.id, row);
      this.rows.append(row);
      this.#days();
    });
  }

  /** Draw an input again that is on its way. @param {Pending} pending */
  changed(pending) {
    const row = this.byInput.get(pending.id);
    if (!row) return;
    this.#keeping(() => {
      const made = pendingRow(pending, this.acts);
      if (pending.state === "failed") made.dataset.after = row.dataset.after ?? String(this.store.newest);
      row.replaceWith(made);
      this.byInput.set(pending.id, made);
    });
  }

  /** @param {string} input @param {number} part 0–1 */
  progressed(input, part) {
    const bar = this.byInput.get(input)?.querySelector("progress");
    if (bar) bar.value = part;
  }

  /** Take an input away that will never be an entry. @param {string} input */
  forget(input) {
    this.store.forget(input);
    this.byInput.get(input)?.remove();
    this.byInput.delete(input);
    this.#days();
  }

  /** @param {boolean} on */
  setTyping(on) {
    if (this.typing.hidden === !on) return;
    this.typing.hidden = !on;
    if (!on) this.taken();
    if (this.pinned) this.toEnd();
  }

  /** @param {boolean} [smoothly] */
  toEnd(smoothly = false) {
    const calm = !smoothly || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.pinned = true;
    clearTimeout(this.gliding);
    this.gliding = calm ? 0 : window.setTimeout(() => this.toEnd(), 1200);
    this.log.scrollTo({ top: this.log.scrollHeight, behavior: calm ? "instant" : "smooth" });
    this.top = this.log.scrollTop;
    this.end = this.#reach();
    this.unread = 0;
    this.#badge();
  }

  #reach() {
    return this.log.scrollHeight - this.log.clientHeight;
  }

  /** @param {Entry} entry @param {"sent" | "taken"} tick @returns {"new" | "changed" | "known"} */
  #put(entry, tick) {
    const before = this.byEntry.get(entry.id);
    const what = this.store.take(entry);
    if (what === "known") return what;
    const row = entryRow(entry, this.acts, this.untaken.has(entry.id) ? "sent" : before ? "taken" : tick);
    row.dataset.day = dayOf(entry.at);
    if (before) {
      const place = focusIn(before);
      before.replaceWith(row);
      place?.(row);
    } else {
      const waiting = entry.input ? this.byInput.get(entry.input) : null;
      if (entry.input) this.byInput.delete(entry.input);
      waiting?.remove();
      this.rows.insertBefore(row, this.#after(entry.id));
    }
    this.byEntry.set(entry.id, row);
    return what;
  }

  /** The row before which an entry belongs; null: at the end. @param {number} id @returns {Element | null} */
  #after(id) {
    let next = null;
    for (let row = this.rows.lastElementChild; row !== null; row = row.previousElementSibling) {
      const { entry, after } = /** @type {HTMLElement} */ (row).dataset;
      const other = Number(entry ?? after ?? 0);
      if (other && other < id) break;
      next = row;
    }
    return next;
  }

  /** Lines between the days, where there are none yet, and none where they are not needed. */
  #days() {
    const today = dayOf(this.now().toISOString());
    let day = "";
    /** @type {HTMLElement | null} */
    let line = null;
    for (const row of /** @type {HTMLElement[]} */ ([...this.rows.children])) {
      if (row.classList.contains("day")) {
        line?.remove();
        line = row;
        continue;
      }
      const own = row.dataset.day ?? today;
      const wanted = own === day ? null : dayName(own, today);
      if (line && line.textContent !== wanted) {
        line.remove();
        line = null;
      }
      if (wanted !== null && !line) row.before(element("div", { class: "day" }, element("span", {}, wanted)));
      line = null;
      day = own;
    }
    line?.remove();
  }

  /** Change rows without moving what the reader looks at. @param {() => void} change */
  #keeping(change) {
    if (this.pinned) {
      change();
      this.toEnd();
      return;
    }
    const top = this.log.getBoundingClientRect().top;
    const anchor = /** @type {HTMLElement[]} */ ([...this.rows.children]).find(
      (row) => row.dataset.entry && row.getBoundingClientRect().bottom > top,
    );
    const id = Number(anchor?.dataset.entry);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    const after = this.byEntry.get(id)?.getBoundingClientRect().top;
    if (after !== undefined) this.log.scrollTop += after - before;
  }

  /** On the way to the end the reader has gone elsewhere. */
  #strayed() {
    clearTimeout(this.gliding);
    this.gliding = 0;
    this.log.scrollTo({ top: this.log.scrollTop, behavior: "instant" });
    this.pinned = false;
    this.#scrolled();
  }

  #scrolled() {
    if (this.gliding) return;
    const near = this.#reach() - this.log.scrollTop < NEAR;
    // The end may have moved by itself: a picture came, the field for texts grew. A log that became shorter is moved
    // up by the browser: as long as its end is not where it was, that was not the reader.
    if (this.pinned && !near && (this.log.scrollTop >= this.top - 1 || this.end !== this.#reach())) {
      this.toEnd();
      return;
    }
    this.pinned = near;
    this.top = this.log.scrollTop;
    this.end = this.#reach();
    if (this.pinned) this.unread = 0;
    this.#badge();
    if (this.log.scrollTop < 3 * NEAR && this.older && !this.asked && this.store.oldest) {
      this.asked = this.connection.send({ type: "older", before: this.store.oldest });
      this.loading.hidden = !this.asked;
    }
  }

  #badge() {
    this.jump.hidden = this.pinned;
    this.count.hidden = this.unread === 0;
    this.count.textContent = String(this.unread);
    this.jump.setAttribute("aria-label", this.unread ? `${this.unread} new messages: go to the end` : "Go to the end");
  }

  /** @param {string} data @param {HTMLElement} button */
  #press(data, button) {
    if (button.classList.contains("busy")) return;
    const id = this.connection.input({ type: "press", data });
    button.classList.add("busy");
    button.setAttribute("aria-busy", "true");
    button.append(element("span", { class: "spinner" }));
    this.presses.set(id, { button, timer: window.setTimeout(() => this.#release(id), SPINNING) });
  }

  /** @param {string | null} id of the input; null: of nobody, then of all */
  #released(id) {
    this.taken();
    for (const press of id === null ? [...this.presses.keys()] : [id]) this.#release(press);
  }

  /** @param {string} id */
  #release(id) {
    const press = this.presses.get(id);
    if (!press) return;
    this.presses.delete(id);
    clearTimeout(press.timer);
    press.button.classList.remove("busy");
    press.button.removeAttribute("aria-busy");
    press.button.querySelector(".spinner")?.remove();
  }
}

/** The day of a moment where the reader is: "2026-11-21". @param {string} at */
function dayOf(at) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return "";
  return `${time.getFullYear()}-${String(time.getMonth() + 1).padStart(2, "0")}-${String(time.getDate()).padStart(2, "0")}`;
}

/** @param {string} day @param {string} today */
function dayName(day, today) {
  if (day === today) return "Today";
  const [year, month, date] = day.split("-").map(Number);
  /** @type {Intl.DateTimeFormatOptions} */
  const form = { day: "numeric", month: "long", ...(today.startsWith(`${year}-`) ? {} : { year: "numeric" }) };
  return day ? new Date(year, month - 1, date).toLocaleDateString("en", form) : "";
}

/** How the focus inside a row is found again after it was drawn anew. @param {HTMLElement} row */
function focusIn(row) {
  const keys = [...row.querySelectorAll(".key")];
  const index = keys.indexOf(/** @type {Element} */ (document.activeElement));
  if (index < 0) return null;
  const text = keys[index].textContent;
  return (/** @type {HTMLElement} */ made) => {
    const all = /** @type {HTMLElement[]} */ ([...made.querySelectorAll(".key")]);
    const same = all.find((key) => key.textContent === text) ?? all[Math.min(index, all.length - 1)];
    same?.focus({ preventScroll: true });
  };
}
