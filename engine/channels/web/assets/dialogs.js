// @ts-check
/**
 * What lies over the chat: toasts, alerts that must be closed, small forms, pictures in large. Knows nothing of the
 * protocol.
 */

import { element, icon } from "./html.js";

const TOAST_MILLISECONDS = 4000;
const MOST_TOASTS = 3;

/**
 * @typedef {{name: string, label: string, value?: string, type?: string, testid: string, inputmode?: string,
 *   step?: string, min?: string, max?: string, maxlength?: number, pattern?: string, title?: string, autocomplete?: string}} Field
 */

export class Dialogs {
  /** @param {HTMLElement} toasts where toasts go */
  constructor(toasts) {
    this.toasts = toasts;
  }

  /** A short notice that goes away by itself. @param {string} text */
  toast(text) {
    const made = element("div", { class: "toast", "data-testid": "toast" }, text);
    for (const other of [...this.toasts.children]) if (other.textContent === text) other.remove();
    this.toasts.append(made);
    while (this.toasts.childElementCount > MOST_TOASTS) this.toasts.firstElementChild?.remove();
    const gone = () => made.remove();
    made.addEventListener("click", gone);
    setTimeout(gone, TOAST_MILLISECONDS + text.length * 20);
  }

  /** A message that stays until it is closed; alerts that come meanwhile lie over it. @param {string} text */
  alert(text) {
    const ok = element("button", { type: "submit", class: "plain", "data-testid": "alert-close" }, "OK");
    const form = element("form", { method: "dialog" }, element("p", { class: "said" }, text), actions(ok));
    this.#show(element("dialog", { class: "box", "data-testid": "alert", "aria-label": "Message from the bot" }, form));
    ok.focus();
  }

  /**
   * A small form.
   * @param {{title: string, text?: string, fields: Field[], submit: string, testid: string,
   *   extra?: (form: HTMLFormElement) => HTMLElement | null}} what
   * @returns {Promise<Record<string, string> | null>} null: it was closed
   */
  form({ title, text, fields, submit, testid, extra }) {
    const cancel = element("button", { type: "button", class: "plain" }, "Cancel");
    const send = element("button", { type: "submit", class: "plain", "data-testid": `${testid}-send` }, submit);
    const form = /** @type {HTMLFormElement} */ (element("form", { method: "dialog" }, element("h2", {}, title)));
    if (text) form.append(element("p", { class: "said" }, text));
    form.append(...fields.map(labelled));
    const more = extra?.(form);
    if (more) form.append(more);
    form.append(actions(cancel, send));
    const dialog = element("dialog", { class: "box", "data-testid": testid, "aria-label": title }, form);
    return new Promise((resolve) => {
      form.addEventListener("submit", () => {
        resolve(Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)])));
      });
      cancel.addEventListener("click", () => /** @type {HTMLDialogElement} */ (dialog).close());
      dialog.addEventListener("close", () => resolve(null));
      this.#show(dialog);
    });
  }

  /** A picture over everything. @param {string} address @param {string} label */
  enlarge(address, label) {
    const close = element("button", { type: "submit", class: "round", "aria-label": "Close" }, icon("close"));
    const picture = element("img", { src: address, alt: label });
    const form = element("form", { method: "dialog" }, close);
    const dialog = element("dialog", { class: "viewer", "data-testid": "viewer", "aria-label": label }, form, picture);
    dialog.addEventListener("click", () => /** @type {HTMLDialogElement} */ (dialog).close());
    this.#show(dialog);
  }

  /** @param {HTMLElement} made */
  #show(made) {
    const dialog = /** @type {HTMLDialogElement} */ (made);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && dialog.dataset.testid !== "alert") dialog.close();
    });
    document.body.append(dialog);
    dialog.showModal();
  }
}

/**
 * Open a popover beside its button, its right edges in line, whenever it is opened.
 * @param {HTMLElement} popover
 * @param {HTMLElement} button
 * @param {"above" | "below"} side
 */
export function beside(popover, button, side) {
  popover.addEventListener("beforetoggle", () => {
    const place = button.getBoundingClientRect();
    popover.style.right = `${Math.max(8, document.documentElement.clientWidth - place.right)}px`;
    popover.style[side === "above" ? "bottom" : "top"] =
      `${side === "above" ? innerHeight - place.top + 8 : place.bottom + 8}px`;
  });
  addEventListener("resize", () => popover.matches(":popover-open") && popover.hidePopover());
}

/** @param {...HTMLElement} buttons */
function actions(...buttons) {
  return element("div", { class: "actions" }, ...buttons);
}

/** @param {Field} field */
function labelled({ name, label, value, testid, type = "text", ...rest }) {
  const input = element("input", { name, type, value: value ?? "", required: true, "data-testid": testid, ...rest });
  return element("label", { class: "field" }, element("span", {}, label), input);
}

/** Fills a form's latitude and longitude with where this device is. @param {HTMLFormElement} form @param {Dialogs} dialogs */
export function hereButton(form, dialogs) {
  const fill = (/** @type {GeolocationPosition} */ { coords }) => {
    /** @type {HTMLInputElement} */ (form.elements.namedItem("latitude")).value = coords.latitude.toFixed(6);
    /** @type {HTMLInputElement} */ (form.elements.namedItem("longitude")).value = coords.longitude.toFixed(6);
  };
  const lost = () => dialogs.toast("This device does not tell where it is.");
  const button = element("button", {
    type: "button",
    class: "plain",
    onclick: () => navigator.geolocation.getCurrentPosition(fill, lost),
  });
  button.append(icon("location"), "Where I am");
  return button;
}
