// @ts-check
/**
 * Files on their way to the server: chosen, dropped or pasted, one after the other, with progress, cancel and retry.
 * Bubbles are chat.js's business.
 */

import { size } from "./chat-bubbles.js";
import { newId } from "./connection.js";
import { element, icon } from "./html.js";

/**
 * @typedef {import("./store.js").Pending} Pending
 * @typedef {{pending: Pending, file: File, kind: "document" | "photo", person: string, request: XMLHttpRequest | null, offline: boolean}} Job
 */

const MOST_AT_ONCE = 100;
const LONGEST_NAME = 200;

export class Uploads {
  /**
   * @param {{chat: import("./chat.js").Chat, connection: import("./connection.js").Connection,
   *   dialogs: import("./dialogs.js").Dialogs, now: () => Date}} parts
   */
  constructor({ chat, connection, dialogs, now }) {
    this.chat = chat;
    this.connection = connection;
    this.dialogs = dialogs;
    this.now = now;
    /** @type {Job[]} */
    this.jobs = [];
    /** @type {Job | null} */
    this.running = null;
    connection.on("*", () => this.#resume());
    addEventListener("beforeunload", (event) => {
      if (this.running) event.preventDefault();
    });
  }

  /** @param {Iterable<File>} files @param {"file" | "photo"} how by which entry they were chosen */
  add(files, how) {
    const all = [...files];
    if (all.length > MOST_AT_ONCE) this.dialogs.toast(`Only the first ${MOST_AT_ONCE} files are sent.`);
    for (const file of all.slice(0, MOST_AT_ONCE)) this.#add(file, how);
    this.#next();
  }

  /** Whether an image goes as a photo; a drawing is none. @param {File} file @param {"file" | "photo"} how */
  #kind(file, how) {
    if (!file.type.startsWith("image/") || file.type.startsWith("image/svg")) return "document";
    const accepts = this.chat.store.question()?.accepts ?? [];
    const onlyPhotos = accepts.includes("photo") && !accepts.includes("file");
    return how === "photo" || onlyPhotos ? "photo" : "document";
  }

  /** @param {File} file @param {"file" | "photo"} how */
  #add(file, how) {
    const kind = this.#kind(file, how);
    const shown = /^image\/(png|jpeg|gif|webp)$/.test(file.type);
    /** @type {Pending} */
    const pending = {
      id: newId(),
      kind: kind === "photo" ? "photo" : "file",
      at: this.now().toISOString(),
      file: {
        name: file.name,
        size: file.size,
        image: shown,
        preview: shown && kind === "photo" ? URL.createObjectURL(file) : undefined,
      },
      progress: 0,
      state: "sending",
    };
    /** @type {Job} */
    const job = { pending, file, kind, person: this.connection.person ?? "", request: null, offline: false };
    pending.cancel = () => this.#cancel(job);
    const most = this.connection.last("welcome")?.max_file ?? Infinity;
    if (file.size > most) {
      pending.state = "failed";
      pending.reason = `This file has ${size(file.size)}; ${size(most)} at most can be sent.`;
    } else {
      this.jobs.push(job);
    }
    this.chat.expect(pending);
  }

  #next() {
    if (this.running) return;
    const job = this.jobs.find((one) => one.pending.state === "sending");
    if (job) this.#send(job);
  }

  /** @param {Job} job */
  #send(job) {
    const { pending, file } = job;
    const asked = new URLSearchParams({
      person: job.person,
      id: pending.id,
      name: file.name.slice(-LONGEST_NAME),
      kind: job.kind,
    });
    const request = new XMLHttpRequest();
    job.request = request;
    this.running = job;
    request.open("POST", `/upload?${asked}`);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.addEventListener("progress", (event) => {
      pending.progress = event.total ? event.loaded / event.total : 0;
      this.chat.progressed(pending.id, pending.progress);
    });
    request.addEventListener("load", () => this.#answered(job, request));
    request.addEventListener("error", () => {
      job.offline = this.connection.state !== "open";
      this.#failed(job, job.offline ? "No connection." : "The file could not be sent.");
    });
    request.send(file);
  }

  /** @param {Job} job @param {XMLHttpRequest} request */
  #answered(job, request) {
    const answer = parsed(request.responseText);
    if (request.status < 300 && answer?.ok) {
      this.#done(job);
      job.pending.state = "sent";
      this.chat.changed(job.pending);
    } else {
      const most = this.connection.last("welcome")?.max_file;
      const large =
        request.status === 413 && most ? `This file is too large: ${size(most)} at most can be sent.` : null;
      this.#failed(job, answer?.error ?? large ?? "The file could not be sent.");
    }
    this.#next();
  }

  /** @param {Job} job @param {string} reason */
  #failed(job, reason) {
    if (this.running === job) this.running = null;
    job.request = null;
    job.pending.state = "failed";
    job.pending.reason = reason;
    job.pending.again = () => this.#retry(job);
    this.chat.changed(job.pending);
    this.#next();
  }

  /** @param {Job} job */
  #retry(job) {
    job.offline = false;
    job.pending.state = "sending";
    job.pending.progress = 0;
    this.chat.changed(job.pending);
    this.#next();
  }

  /** What failed for want of a connection goes again, after the texts that were waiting before it. */
  #resume() {
    if (this.connection.state !== "open" || this.connection.queue.length) return;
    for (const job of this.jobs.filter((one) => one.offline)) this.#retry(job);
  }

  /** @param {Job} job */
  #cancel(job) {
    const request = job.request;
    this.#done(job);
    request?.abort();
    this.chat.forget(job.pending.id);
    this.#next();
  }

  /** @param {Job} job */
  #done(job) {
    if (this.running === job) this.running = null;
    job.request = null;
    this.jobs = this.jobs.filter((one) => one !== job);
    const preview = job.pending.file?.preview;
    if (preview) setTimeout(() => URL.revokeObjectURL(preview), 60000);
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Files dropped anywhere on the chat, and pasted ones.
 * @param {{area: HTMLElement, overlay: HTMLElement, uploads: Uploads, dialogs: import("./dialogs.js").Dialogs}} parts
 */
export function takeDrops({ area, overlay, uploads, dialogs }) {
  const asFile = zone("file", "Drop files here to send them as files", "drop-file");
  const asPhoto = zone("photo", "Drop images here to send them as photos", "drop-photo");
  overlay.append(asFile, asPhoto);
  let inside = 0;
  const leave = () => {
    inside = 0;
    overlay.hidden = true;
  };
  area.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    inside += 1;
    asPhoto.hidden = ![...(event.dataTransfer?.items ?? [])].every((item) => item.type.startsWith("image/"));
    overlay.hidden = false;
  });
  area.addEventListener("dragleave", () => {
    inside = Math.max(0, inside - 1);
    if (inside === 0) leave();
  });
  area.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  area.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    const how = asPhoto.contains(/** @type {Node} */ (event.target)) ? "photo" : "file";
    leave();
    uploads.add(droppedFiles(event, dialogs), how);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    uploads.add(files, "file");
  });
}

/** @param {DragEvent} event */
function hasFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

/** @param {DragEvent} event @param {import("./dialogs.js").Dialogs} dialogs */
function droppedFiles(event, dialogs) {
  const items = [...(event.dataTransfer?.items ?? [])];
  const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory).length;
  if (!folders) return [...(event.dataTransfer?.files ?? [])];
  dialogs.toast("A folder cannot be sent: drop the files in it.");
  return items.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).flatMap((item) => item.getAsFile() ?? []);
}

/** @param {string} sign @param {string} text @param {string} testid */
function zone(sign, text, testid) {
  return element("div", { class: "zone", "data-testid": testid }, icon(sign), element("span", {}, text));
}
