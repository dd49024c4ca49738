// @ts-check
/**
 * Puts the page together: connection, log, composer, header, uploads and the workshop pane, and says what leads to
 * what. No drawing here.
 */

import { Chat } from "./chat.js";
import { Uploads, takeDrops } from "./chat-files.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Dialogs } from "./dialogs.js";
import { element, loadIcons } from "./html.js";
import { Header, applyTheme, avatar } from "./people.js";
import { Store } from "./store.js";

const WORKSHOP = "stepgram.workshop";
const WIDTH = "stepgram.workshop.width";
const NARROW = "(max-width: 820px)";

applyTheme();
void loadIcons();
const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

class Page {
  constructor() {
    this.store = new Store();
    this.connection = new Connection({ known: () => this.store.newest });
    this.dialogs = new Dialogs(at("toasts"));
    this.ahead = 0;
    this.person = "";
    const { connection, dialogs, store } = this;
    const now = () => new Date(Date.now() + this.ahead);
    this.now = now;
    const say = (/** @type {string} */ text) => this.input({ type: "text", text });
    this.chat = new Chat({ log: at("log"), bottom: at("bottom"), store, connection, dialogs, onCommand: say, now });
    this.uploads = new Uploads({ chat: this.chat, connection, dialogs, now });
    this.header = new Header({
      root: at("header"),
      does: {
        become: (person) => this.become(person),
        change: (what) => this.tell({ type: "person", ...what }),
        workshop: () => this.pane.toggle(),
      },
    });
    this.composer = new Composer({
      root: at("bottom"),
      dialogs,
      does: {
        text: say,
        contact: (phone) => this.#contact(phone),
        location: (latitude, longitude) => this.input({ type: "location", latitude, longitude }),
        files: (files, how) => this.uploads.add(files, how),
        lastText: () => this.#lastText(),
        phone: () => connection.last("welcome")?.person.phone ?? "",
      },
    });
    this.pane = new Pane(this);
    this.welcome = element("div", { class: "welcome", hidden: true });
    at("log").append(this.welcome);
    takeDrops({ area: at("chat"), overlay: at("overlay"), uploads: this.uploads, dialogs });
    this.#listen();
    connection.start();
    this.composer.focus();
  }

  #listen() {
    const { connection, dialogs } = this;
    connection.on("welcome", (message) => this.#welcomed(message));
    connection.on("entries", (page) => {
      this.chat.page(page);
      this.#settled(true);
    });
    connection.on("entry", ({ entry }) => {
      this.chat.arrived(entry);
      this.#settled(false);
    });
    connection.on("refused", ({ id, text }) => this.#refused(id, text));
    connection.on("notice", ({ text, alert }) => text && (alert ? dialogs.alert(text) : dialogs.toast(text)));
    connection.on("error", ({ text }) => this.#complained(text));
    connection.on("person", (message) => this.#known(message));
    connection.on("commands", ({ commands }) => this.composer.setCommands(commands));
    connection.on("clock", ({ now }) => (this.ahead = Date.parse(now) - Date.now() || 0));
    connection.on("typing", () => this.#status());
    connection.on("connection", ({ state }) => this.#connected(state));
    setTimeout(() => connection.state === "connecting" && this.#connected("connecting"), 400);
  }

  /** @param {any} message */
  #welcomed(message) {
    this.ahead = Date.parse(message.clock?.now) - Date.now() || 0;
    if (this.person !== message.person.id) {
      this.person = message.person.id;
      this.chat.clear();
      this.composer.become(this.person);
    }
    this.header.show(message);
    this.composer.setCommands(message.commands);
    this.pane.offer(Boolean(message.workshop));
    for (const input of this.connection.queue) this.#expect(input);
    this.#status();
  }

  /** The workshop shows complaints itself while it is open. @param {string} text */
  #complained(text) {
    if (this.connection.state === "open") {
      if (!this.pane.open) this.dialogs.toast(text);
    } else if (this.connection.retreat()) {
      this.dialogs.toast(text);
    } else {
      this.#connected("refused", text);
    }
  }

  /** The person of this tab or the list of people has changed. @param {any} message */
  #known(message) {
    const welcome = this.connection.last("welcome");
    if (!welcome) return;
    if (message.person?.id === this.person) welcome.person = message.person;
    welcome.people = message.people ?? welcome.people;
    this.header.show({ person: welcome.person, people: welcome.people });
  }

  /** What an empty chat says. */
  #drawWelcome() {
    const { bot, commands } = /** @type {any} */ (this.connection.last("welcome"));
    const list = commands.map((/** @type {any} */ { command, title }) => {
      const name = `/${command.replace(/^\//, "")}`;
      return element(
        "li",
        {},
        element(
          "button",
          { type: "button", class: "command", onclick: () => this.input({ type: "text", text: name }) },
          name,
        ),
        ` – ${title}`,
      );
    });
    this.welcome.replaceChildren(
      avatar(bot, bot),
      element("h2", {}, bot),
      element("p", {}, "This is your chat with the bot. Press Start, or choose a command:"),
      element("ul", {}, ...list),
    );
  }

  /** @param {boolean} complete the entries that there are have come */
  #settled(complete) {
    this.composer.setShare(this.store.question()?.share ?? {});
    this.#status();
    if (complete || !this.store.empty) this.#emptiness();
  }

  #emptiness() {
    const empty = this.store.empty && this.connection.state === "open";
    if (this.welcome.hidden && empty) this.#drawWelcome();
    if (!empty) this.welcome.replaceChildren();
    this.welcome.hidden = !empty;
    this.composer.setStart(empty);
  }

  #status() {
    const open = this.connection.state === "open";
    const typing = open && !this.chat.typing.hidden;
    this.header.setStatus(open ? (typing ? "typing…" : "online") : "connecting…", open);
    this.header.status.classList.toggle("writing", typing);
  }

  /** @param {string} state @param {string} [text] */
  #connected(state, text = "Connecting…") {
    const banner = at("connection");
    banner.dataset.state = state;
    banner.hidden = state === "open";
    banner.replaceChildren(element("span", { class: "spinner" }), text);
    this.#status();
    for (const pending of this.store.pending.values()) {
      if (pending.file || pending.state === "failed") continue;
      pending.state = state === "open" ? "sending" : "waiting";
      this.chat.changed(pending);
    }
  }

  /** Send an input and show it at once. @param {any} message @returns {string} its id */
  input(message) {
    const id = this.connection.input(message);
    this.#expect({ ...message, id });
    this.#emptiness();
    this.chat.toEnd();
    return id;
  }

  /** @param {any} message */
  #expect({ id, type, text, phone, latitude, longitude }) {
    if (type === "press" || this.store.pending.has(id)) return;
    const state = this.connection.state === "open" ? "sending" : "waiting";
    this.chat.expect({ id, kind: type, at: this.now().toISOString(), text, phone, latitude, longitude, state });
  }

  /** @param {string} phone */
  #contact(phone) {
    const id = this.input({ type: "contact", phone });
    const forget = this.connection.on("*", (message) => {
      if (message.id !== id) return;
      forget();
      const known = this.connection.last("welcome")?.person.phone;
      if (message.type === "ack" && known !== phone) this.connection.send({ type: "person", phone });
    });
  }

  /** @param {string} id @param {string} text */
  #refused(id, text) {
    const pending = this.store.pending.get(id);
    if (!pending) {
      this.dialogs.toast(text);
      return;
    }
    pending.state = "failed";
    pending.reason = text;
    pending.cancel = () => {
      this.chat.forget(id);
      this.#emptiness();
    };
    this.chat.changed(pending);
  }

  #lastText() {
    const own = [...this.store.entries.values()].filter((entry) => entry.from === "customer" && entry.kind === "text");
    const newest = own.reduce(
      (/** @type {any} */ best, entry) => (best === null || entry.id > best.id ? entry : best),
      null,
    );
    return newest?.text ?? "";
  }

  /** Something that makes sense only now. @param {any} message */
  tell(message) {
    if (!this.connection.send(message)) this.dialogs.toast("There is no connection just now.");
  }

  /** @param {string} person */
  become(person) {
    this.person = "";
    this.chat.clear();
    this.composer.setShare({});
    this.welcome.hidden = true;
    this.connection.become(person);
    this.composer.focus();
  }
}

/** The workshop beside the chat (over it on a phone): loaded when it is first opened. */
class Pane {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.root = at("workshop");
    this.divider = at("divider");
    this.there = false;
    this.open = false;
    /** @type {any} */
    this.workshop = null;
    const width = localStorage.getItem(WIDTH);
    if (width) at("app").style.setProperty("--pane", width);
    this.#draggable();
    matchMedia(NARROW).addEventListener("change", ({ matches }) => {
      // A pane that stood beside the chat must not cover it when the window becomes narrow.
      if (matches && this.open) this.#hide();
      else this.offer(this.there);
    });
    addEventListener("keydown", (event) => {
      if (
        event.key === "Escape" &&
        this.open &&
        matchMedia(NARROW).matches &&
        !document.querySelector("dialog[open], :popover-open")
      )
        this.toggle();
    });
  }

  /** @param {boolean} there */
  offer(there) {
    this.there = there;
    this.page.header.setWorkshop(there, this.open);
    const wanted = localStorage.getItem(WORKSHOP) ?? "open";
    const beside = () => !this.open && wanted === "open" && !matchMedia(NARROW).matches;
    if (there && beside()) idle(() => beside() && void this.#show());
    if (!there && this.open) this.#hide();
  }

  toggle() {
    localStorage.setItem(WORKSHOP, this.open ? "closed" : "open");
    if (this.open) this.#hide();
    else void this.#show();
  }

  async #show() {
    this.open = true;
    this.#place();
    try {
      const { Workshop } = await import("./workshop.js");
      this.workshop ??= new Workshop({
        root: this.root,
        connection: this.page.connection,
        onClose: () => this.open && this.toggle(),
      });
      if (this.open) this.workshop.open?.();
    } catch {
      this.#hide(); // the server went away meanwhile: the next welcome offers it again
      if (this.page.connection.state === "open") this.page.dialogs.toast("The workshop could not be loaded.");
    }
  }

  #hide() {
    this.open = false;
    this.workshop?.close?.();
    this.#place();
    this.page.composer.focus();
  }

  #place() {
    this.root.hidden = !this.open;
    this.divider.hidden = !this.open;
    at("app").classList.toggle("with-pane", this.open);
    this.page.header.setWorkshop(this.there, this.open);
  }

  /** The divider: dragged, or moved by the arrow keys. */
  #draggable() {
    const set = (/** @type {number} */ share) => {
      const width = `${Math.min(70, Math.max(25, share)).toFixed(1)}%`;
      at("app").style.setProperty("--pane", width);
      localStorage.setItem(WIDTH, width);
    };
    this.divider.addEventListener("pointerdown", (event) => this.divider.setPointerCapture(event.pointerId));
    this.divider.addEventListener("pointermove", (event) => {
      if (this.divider.hasPointerCapture(event.pointerId)) set(100 * (1 - event.clientX / innerWidth));
    });
    this.divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: 2, ArrowRight: -2 }[event.key];
      if (step) set((100 * this.root.offsetWidth) / innerWidth + step);
    });
  }
}

/** After what is more urgent. @param {() => void} then */
function idle(then) {
  if ("requestIdleCallback" in window) requestIdleCallback(then, { timeout: 500 });
  else setTimeout(then, 100);
}

new Page();
