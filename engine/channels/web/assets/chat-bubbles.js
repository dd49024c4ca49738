// @ts-check
/**
 * One message as elements: bubble, media, inline keyboard, time and ticks. It draws what it is given; when and where
 * is chat.js's business.
 */

import { element, icon, outwards, plainText, safeAddress, telegramHtml } from "./html.js";

/**
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {import("./store.js").Pending} Pending
 * @typedef {{press: (entry: Entry, data: string, button: HTMLElement) => void, command: (text: string) => void,
 *   enlarge: (address: string, label: string) => void}} Acts
 */

/** Signs that emoji fonts draw in dark grey: on a button they are drawn white, as the words are. */
const DARK = /([✖➕➖➗✔]\ufe0f?)/u;

/** "14:05" in the reader's time zone. @param {string} at ISO-8601 */
export function clock(at) {
  const time = new Date(at);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return Number.isNaN(time.getTime()) ? "" : `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** "3.4 MB" @param {number} bytes */
export function size(bytes) {
  if (!(bytes >= 1024)) return `${bytes || 0} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 ? Math.round(value) : value.toFixed(1).replace(/\.0$/, "")} ${units[unit]}`;
}

/** The row of an entry. @param {Entry} entry @param {Acts} acts @param {"sent" | "taken"} tick */
export function entryRow(entry, acts, tick) {
  const hooks = { "data-testid": "message", "data-entry": entry.id, "data-from": entry.from, "data-kind": entry.kind };
  if (entry.from === "system") {
    return element("div", { class: "row service", ...hooks }, element("span", {}, entry.text ?? ""));
  }
  const out = entry.from === "customer";
  const bubble = element("div", { class: "bubble" });
  const media = pictureOf(entry, acts);
  if (media) bubble.append(media);
  if (entry.file && !media) bubble.append(documentOf(entry.file.name, entry.file.size, entry.file.url));
  const card = cardOf(entry);
  if (card) bubble.append(card);
  const meta = metaOf(entry, out ? tick : null);
  const text = textOf(entry, acts);
  if (text) text.append(meta);
  else bubble.append(meta);
  if (text) bubble.append(text);
  bubble.classList.toggle("bare", !text && Boolean(media));
  const stack = element("div", { class: "stack" }, bubble);
  const keys = keysOf(entry, acts);
  if (keys) stack.append(keys);
  return element("div", { class: `row ${out ? "out" : "in"}`, ...hooks }, stack);
}

/** The row of an input that has no entry yet. @param {Pending} pending @param {Acts} acts */
export function pendingRow(pending, acts) {
  const hooks = {
    "data-testid": "message",
    "data-input": pending.id,
    "data-from": "customer",
    "data-kind": pending.kind,
  };
  const bubble = element("div", { class: "bubble" });
  const bare = Boolean(pending.file?.image && pending.file.preview && pending.kind === "photo");
  if (bare) {
    bubble.append(
      element("div", { class: "media" }, element("img", { src: pending.file?.preview, alt: pending.file?.name })),
    );
  } else if (pending.file) {
    bubble.append(documentOf(pending.file.name, pending.file.size, null));
  }
  const card = cardOf(pending);
  if (card) bubble.append(card);
  if (pending.file && pending.state === "sending") bubble.append(progressOf(pending));
  const meta = element("span", { class: "meta" }, clock(pending.at), tickOf(pending.state));
  if (pending.text !== undefined)
    bubble.append(element("div", { class: "text" }, plainText(pending.text, acts.command), meta));
  else bubble.append(meta);
  bubble.classList.toggle("bare", bare);
  const stack = element("div", { class: "stack" }, bubble);
  if (pending.state === "failed") stack.append(failureOf(pending));
  return element("div", { class: `row out pending ${pending.state}`, ...hooks }, stack);
}

/** @param {Pending["state"] | "taken"} state */
function tickOf(state) {
  const names = { waiting: "clock", sending: "clock", sent: "check", taken: "checks", failed: "warning" };
  const words = { waiting: "waiting", sending: "sending", sent: "sent", taken: "taken", failed: "not sent" };
  const made = element("span", { class: `tick ${state}`, role: "img", "aria-label": words[state], "data-tick": state });
  made.append(icon(names[state]));
  return made;
}

/** Change the tick of a row that stands already. @param {HTMLElement} row @param {"sent" | "taken"} state */
export function setTick(row, state) {
  row.querySelector(".meta .tick")?.replaceWith(tickOf(state));
}

/** @param {Entry} entry @param {"sent" | "taken" | null} tick */
function metaOf(entry, tick) {
  const meta = element("span", { class: "meta" });
  if (entry.revision > 1 && entry.from === "bot") meta.append(element("span", { class: "edited" }, "edited "));
  const time = new Date(entry.at);
  const title = Number.isNaN(time.getTime()) ? entry.at : time.toLocaleString();
  meta.append(element("time", { datetime: entry.at, title }, clock(entry.at)));
  if (tick) meta.append(tickOf(tick));
  return meta;
}

/** @param {Entry} entry @param {Acts} acts */
function textOf(entry, acts) {
  if (entry.html) return element("div", { class: "text" }, telegramHtml(entry.html, acts.command));
  if (entry.text) return element("div", { class: "text" }, plainText(entry.text, acts.command));
  return null;
}

/** @param {Entry} entry @param {Acts} acts */
function pictureOf(entry, acts) {
  const image = entry.kind === "photo" && entry.file?.image ? entry.file.url : null;
  const address = entry.picture ?? image;
  if (!address) return null;
  const label = entry.file?.name ?? "Picture";
  const picture = element("img", { src: address, alt: label, decoding: "async" });
  const button = element(
    "button",
    { type: "button", class: "media", "aria-label": `${label}: larger`, "data-testid": "picture" },
    picture,
  );
  button.addEventListener("click", () => acts.enlarge(address, label));
  picture.addEventListener("error", () => {
    button.replaceWith(element("div", { class: "media lost" }, icon("photo"), "This picture cannot be shown."));
  });
  return button;
}

/** @param {string} name @param {number} bytes @param {string | null} address */
function documentOf(name, bytes, address) {
  const ending = /\.([\p{L}\p{N}]{1,4})$/u.exec(name)?.[1]?.toLowerCase() ?? "";
  const sign = element(
    "span",
    { class: `file-sign kind-${ending.length % 4}`, "aria-hidden": "true" },
    ending || icon("file"),
  );
  const title = element("span", { class: "file-name" }, name);
  const under = element("span", { class: "file-size" }, size(bytes));
  const about = element("span", { class: "file-about" }, title, under);
  if (address === null) return element("div", { class: "document" }, sign, about);
  const link = outwards(address, {
    class: "document",
    download: name,
    title: `Download ${name}`,
    "data-testid": "document",
  });
  link.append(sign, about);
  return link;
}

/** A shared number or place. @param {{kind: string, phone?: string, latitude?: number, longitude?: number}} what */
function cardOf(what) {
  if (what.kind === "contact") {
    const about = element("span", { class: "file-about" }, element("span", { class: "file-name" }, what.phone ?? ""));
    about.append(element("span", { class: "file-size" }, "My phone number"));
    return element("div", { class: "document" }, element("span", { class: "file-sign round" }, icon("phone")), about);
  }
  if (what.kind === "location") {
    const place = `${Number(what.latitude).toFixed(5)}, ${Number(what.longitude).toFixed(5)}`;
    const map = element("div", { class: "map", "aria-hidden": "true" }, icon("location"));
    const about = element("span", { class: "file-about" }, element("span", { class: "file-name" }, "Location"));
    about.append(element("span", { class: "file-size" }, place));
    return element("div", { class: "place" }, map, about);
  }
  return null;
}

/** @param {Pending} pending */
function progressOf(pending) {
  const part = pending.progress ?? 0;
  const label = `Sending ${pending.file?.name ?? "the file"}`;
  const bar = element("progress", { max: 1, value: part, "aria-label": label, "data-testid": "upload-progress" });
  const cancel = element("button", {
    type: "button",
    class: "round small",
    "aria-label": "Cancel sending",
    "data-testid": "upload-cancel",
  });
  cancel.append(icon("close"));
  cancel.addEventListener("click", () => pending.cancel?.());
  return element("div", { class: "progress" }, bar, cancel);
}

/** @param {Pending} pending */
function failureOf(pending) {
  const made = element("div", { class: "failure", role: "alert" }, element("span", {}, pending.reason ?? "Not sent."));
  if (pending.again) {
    const again = element(
      "button",
      { type: "button", class: "plain", "data-testid": "retry" },
      icon("retry"),
      "Try again",
    );
    again.addEventListener("click", () => pending.again?.());
    made.append(again);
  }
  const remove = element("button", { type: "button", class: "plain", "data-testid": "remove" }, "Remove");
  remove.addEventListener("click", () => pending.cancel?.());
  made.append(remove);
  return made;
}

/** @param {Entry} entry @param {Acts} acts */
function keysOf(entry, acts) {
  if (!entry.rows?.length) return null;
  const keys = element("div", { class: "keys", role: "group", "aria-label": "Buttons of this message" });
  for (const row of entry.rows) {
    keys.append(element("div", { class: "key-row" }, ...row.map((press) => keyOf(entry, press, acts))));
  }
  return keys;
}

/** @param {Entry} entry @param {import("./store.js").Press} press @param {Acts} acts */
function keyOf(entry, press, acts) {
  const parts = press.text.split(DARK);
  const words = parts.map((part, at) => (at % 2 ? element("span", { class: "sign" }, part) : part));
  const label = element("span", { class: "key-text" }, ...words);
  const address = safeAddress(press.url);
  if (address) {
    const link = outwards(address, { class: "key", "data-testid": "inline-button" });
    link.append(label, element("span", { class: "key-corner", "aria-hidden": "true" }, icon("out")));
    return link;
  }
  const data = press.data;
  const button = element(
    "button",
    { type: "button", class: "key", "data-testid": "inline-button", disabled: !data },
    label,
  );
  if (data) {
    button.dataset.data = data;
    button.addEventListener("click", () => acts.press(entry, data, button));
  }
  return button;
}
