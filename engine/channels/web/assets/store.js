// @ts-check
/**
 * What this tab knows of the chat: entries by id, the highest revision of each, and bubbles of inputs that no entry
 * carries yet. Values only, no elements, no connection.
 */

/**
 * @typedef {{text: string, data?: string, url?: string}} Press
 * @typedef {{id: number, revision: number, at: string, from: "bot" | "customer" | "system", kind: string, input?: string,
 *   html?: string, text?: string, rows?: Press[][], picture?: string,
 *   file?: {name: string, size: number, url: string, image: boolean}, accepts?: string[],
 *   share?: {contact?: string, location?: string}, latitude?: number, longitude?: number, phone?: string}} Entry
 * @typedef {{id: string, kind: string, at: string, text?: string, phone?: string, latitude?: number, longitude?: number,
 *   file?: {name: string, size: number, image: boolean, preview?: string}, progress?: number, state: PendingState,
 *   reason?: string, again?: () => void, cancel?: () => void}} Pending
 * @typedef {"waiting" | "sending" | "sent" | "failed"} PendingState
 */

export class Store {
  constructor() {
    /** @type {Map<number, Entry>} */
    this.entries = new Map();
    /** @type {Map<string, Pending>} by the id of the input */
    this.pending = new Map();
    /** @type {Set<string>} inputs whose entry is here */
    this.inputs = new Set();
    this.newest = 0;
    this.oldest = 0;
  }

  clear() {
    this.entries.clear();
    this.pending.clear();
    this.inputs.clear();
    this.newest = 0;
    this.oldest = 0;
  }

  /** Take an entry: "new", "changed", or "known" when nothing is to be drawn. @param {Entry} entry */
  take(entry) {
    const before = this.entries.get(entry.id);
    if (before && before.revision >= entry.revision) return "known";
    this.entries.set(entry.id, entry);
    if (entry.input) {
      this.inputs.add(entry.input);
      this.pending.delete(entry.input);
    }
    this.newest = Math.max(this.newest, entry.id);
    this.oldest = this.oldest === 0 ? entry.id : Math.min(this.oldest, entry.id);
    return before ? "changed" : "new";
  }

  /** Show an input before its entry is there; false when the entry came first. @param {Pending} pending */
  expect(pending) {
    if (this.inputs.has(pending.id)) return false;
    this.pending.set(pending.id, pending);
    return true;
  }

  /** @param {string} input */
  forget(input) {
    this.pending.delete(input);
  }

  get empty() {
    return this.entries.size === 0 && this.pending.size === 0;
  }

  /** The newest question: the newest message of a step. */
  question() {
    return [...this.entries.values()].reduce(
      (/** @type {Entry | null} */ best, entry) =>
        entry.from === "bot" && entry.kind === "show" && (best === null || entry.id > best.id) ? entry : best,
      null,
    );
  }
}
