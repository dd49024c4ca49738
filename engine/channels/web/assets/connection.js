// @ts-check
/**
 * The WebSocket of this tab: it reconnects, tells who this tab speaks for, and keeps what the customer did until the
 * server has acknowledged it. Nothing about the screen belongs here.
 *
 * For other modules:
 *   connection.on(type, listener)   a server message type, "*" for all, or "connection" (the state changed);
 *                                   gives a function that takes the listener away again
 *   connection.last(type)           the newest message of that type (welcome, person, state, findings, clock, flows …), or null
 *   connection.send(message)        now or never: false when there is no connection (for the workshop's tools)
 *   connection.input(message)       a customer's input: gets an id, is kept and sent again until acknowledged; gives the id
 *   connection.state                "connecting" | "open"
 *
 * The workshop pane: app.js makes `new Workshop({root, connection, onClose})` the first time the pane is opened and
 * then, if there are such methods, calls `workshop.open()` and `workshop.close()` as the pane is shown and hidden.
 * `root` is shown and hidden by app.js. After a reconnect a "welcome" comes again: the pane says `workshop open` anew.
 */

/** @typedef {{type: string, [name: string]: any}} Message */

const FIRST_DELAY = 200;
const LONGEST_DELAY = 5000;
const PERSON = "stepgram.person";
const QUEUE = "stepgram.queue.";

export class Connection {
  /** @param {{url?: string, storage?: Storage, known?: () => number}} options  `known`: the newest entry the tab has. */
  constructor({ url, storage, known } = {}) {
    this.url = url ?? `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
    this.storage = storage ?? sessionStorage;
    this.known = known ?? (() => 0);
    /** @type {"connecting" | "open"} */
    this.state = "connecting";
    /** @type {Map<string, Set<(message: any) => void>>} */
    this.listeners = new Map();
    /** @type {Map<string, Message>} */
    this.newest = new Map();
    /** @type {string | null} */
    this.person = this.storage.getItem(PERSON);
    /** @type {Message[]} */
    this.queue = this.#stored(this.person);
    this.delay = FIRST_DELAY;
    this.timer = 0;
    /** @type {WebSocket | null} */
    this.socket = null;
  }

  /** Open the connection; called once. */
  start() {
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#hurry();
    });
    this.#open();
  }

  /**
   * @param {string} type
   * @param {(message: any) => void} listener
   * @returns {() => void}
   */
  on(type, listener) {
    const all = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, all);
    all.add(listener);
    return () => all.delete(listener);
  }

  /** @param {string} type */
  last(type) {
    return this.newest.get(type) ?? null;
  }

  /** @param {Message} message */
  send(message) {
    if (this.state !== "open" || !this.socket) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /**
   * @param {Message} message
   * @returns {string} the id of the input
   */
  input(message) {
    const id = message.id ?? newId();
    const kept = { ...message, id };
    this.queue.push(kept);
    this.#store();
    this.send(kept);
    return id;
  }

  /** Speak for somebody else from now on: "new" or a known id. What is not yet acknowledged waits for their return. */
  become(/** @type {string} */ person) {
    this.person = person;
    this.queue = [];
    this.newest.delete("state");
    if (person !== "new") {
      this.storage.setItem(PERSON, person);
      this.queue = this.#stored(person);
    }
    this.#drop();
    this.delay = FIRST_DELAY;
    this.#open();
  }

  /** The server turned the hello away: back to whom this tab spoke for before (then true), else it is asked again later. */
  retreat() {
    const before = this.storage.getItem(PERSON);
    const back = this.person === "new" && before !== null;
    if (back) this.become(before);
    else this.#again();
    return back;
  }

  /** @param {string} id */
  waiting(id) {
    return this.queue.some((message) => message.id === id);
  }

  #open() {
    clearTimeout(this.timer);
    this.#enter("connecting");
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      const known = this.person === "new" ? 0 : this.known();
      socket.send(JSON.stringify({ type: "hello", person: this.person, known }));
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.#receive(event.data);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.#again();
    };
  }

  #again() {
    this.#drop();
    this.#enter("connecting");
    this.timer = window.setTimeout(() => this.#open(), this.delay);
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
  }

  #hurry() {
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    this.delay = FIRST_DELAY;
    this.#open();
  }

  #drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** @param {string} text */
  #receive(text) {
    /** @type {Message} */
    const message = JSON.parse(text);
    if (message.type === "welcome") this.#welcomed(message);
    if (message.type === "ack" || message.type === "refused") this.#settle(message.id);
    if (message.type !== "entries" && message.type !== "entry") this.newest.set(message.type, message);
    this.#tell(message.type, message);
    this.#tell("*", message);
    if (message.type === "welcome") this.#resend();
  }

  /** @param {Message} message */
  #welcomed(message) {
    const person = message.person.id;
    if (this.person !== person) {
      const early = this.person === null ? this.queue : [];
      this.person = person;
      this.queue = [...this.#stored(person), ...early];
      this.storage.setItem(PERSON, person);
      this.#store();
    }
    this.delay = FIRST_DELAY;
    this.#enter("open");
  }

  #resend() {
    for (const message of [...this.queue]) this.send(message);
  }

  /** @param {string} id */
  #settle(id) {
    this.queue = this.queue.filter((message) => message.id !== id);
    this.#store();
  }

  /** @param {"connecting" | "open"} state */
  #enter(state) {
    if (this.state === state) return;
    this.state = state;
    this.#tell("connection", { type: "connection", state });
  }

  /**
   * @param {string} type
   * @param {Message} message
   */
  #tell(type, message) {
    for (const listener of [...(this.listeners.get(type) ?? [])]) {
      try {
        listener(message);
      } catch (error) {
        console.error(error);
      }
    }
  }

  /** @param {string | null} person @returns {Message[]} */
  #stored(person) {
    try {
      const found = person === null ? null : JSON.parse(this.storage.getItem(QUEUE + person) ?? "[]");
      return Array.isArray(found) ? found : [];
    } catch {
      return [];
    }
  }

  #store() {
    if (this.person === null || this.person === "new") return;
    const name = QUEUE + this.person;
    if (this.queue.length) this.storage.setItem(name, JSON.stringify(this.queue));
    else this.storage.removeItem(name);
  }
}

/** A random id for an input; `crypto.randomUUID` is missing on pages without https that are not loopback. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
