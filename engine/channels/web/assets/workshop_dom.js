// @ts-check
/**
 * Small tools to build and keep DOM: elements, icons, keyed lists.
 * Must never parse markup: text goes in as text nodes only.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. Properties: `class`, `testid`, `on` (event → function), `hidden`, `value` and the like; the rest are attributes.
 * Children that are null or false are left out; anything that is not a node becomes text.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...any} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "testid") element.dataset.testid = value;
    else if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
    else if (name === "value") /** @type {any} */ (element).value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** @type {Record<string, string>} */
const ICONS = {
  close: "M5 5l10 10M15 5L5 15",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M3 8V3h5M12 3h5v5M17 12v5h-5M8 17H3v-5",
  target: "M10 2v4M10 14v4M2 10h4M14 10h4M10 7a3 3 0 1 0 0 6a3 3 0 1 0 0-6",
  clock: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 6v4l3 2",
  check: "M4 11l4 4l8-10",
  alert: "M10 3L18 17H2L10 3M10 8v4M10 14v1",
  tall: "M10 3v14M6 7l4-4l4 4M6 13l4 4l4-4",
  undo: "M8 5L4 9l4 4M4 9h8a4 4 0 0 1 0 8h-2",
};

/**
 * A line drawing in the text's colour, hidden from screen readers.
 * @param {string} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "ws-icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] ?? "");
  svg.append(path);
  return svg;
}

/**
 * A button.
 * @param {string} label @param {() => void} run @param {Record<string, any>} [properties]
 * @returns {HTMLButtonElement}
 */
export function button(label, run, properties = {}) {
  return h("button", { type: "button", class: "ws-button", ...properties, on: { click: run } }, label);
}

/**
 * A button with a picture only; the label is its name and tooltip.
 * @param {string} picture @param {string} label @param {() => void} run @param {Record<string, any>} [properties]
 * @returns {HTMLButtonElement}
 */
export function iconButton(picture, label, run, properties = {}) {
  const made = { type: "button", class: "ws-button ws-only", title: label, "aria-label": label, ...properties };
  return h("button", { ...made, on: { click: run } }, icon(picture));
}

/**
 * A file as it is named here: its folder and name, since the rest of a long path tells nothing.
 * @param {string} file
 */
export function shortFile(file) {
  return file.split(/[\\/]/).slice(-2).join("/");
}

/**
 * Set an element's text, touching the page only where it differs (a selection in it stays).
 * @param {Element} element @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Bring the children of `parent` in line with `items`: known keys keep their element (and its focus, scroll, typed
 * text), new ones are made, gone ones removed.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{key: (item: T, index: number) => string, make: (item: T) => Element, update?: (element: any, item: T) => void}} how
 */
export function keep(parent, items, how) {
  /** @type {Map<string, Element>} */
  const known = new Map();
  for (const child of [...parent.children]) known.set(/** @type {HTMLElement} */ (child).dataset.key ?? "", child);
  /** @type {Element | null} */
  let before = parent.firstElementChild;
  const used = new Set();
  for (const [index, item] of items.entries()) {
    let key = how.key(item, index);
    while (used.has(key)) key += "+";
    used.add(key);
    let element = known.get(key);
    if (!element) {
      element = how.make(item);
      /** @type {HTMLElement} */ (element).dataset.key = key;
    }
    how.update?.(element, item);
    if (element === before) before = before.nextElementSibling;
    else parent.insertBefore(element, before);
  }
  for (const [key, element] of known) if (!used.has(key)) element.remove();
}

/**
 * Give a select these options, leaving it alone when nothing has changed; the chosen one stays where it still exists.
 * @param {HTMLSelectElement} select @param {readonly {value: string, label: string}[]} options
 */
export function setOptions(select, options) {
  const same =
    select.options.length === options.length &&
    options.every((option, index) => select.options[index].value === option.value && select.options[index].text === option.label);
  if (same) return;
  const chosen = select.value;
  select.replaceChildren(...options.map((option) => new Option(option.label, option.value)));
  if (options.some((option) => option.value === chosen)) select.value = chosen;
}

/**
 * What a JSON editor holds: an object, or a sentence that says what is wrong.
 * @param {string} text
 * @returns {{value: Record<string, any>} | {wrong: string}}
 */
export function readObject(text) {
  if (!text.trim()) return { value: {} };
  try {
    const value = JSON.parse(text);
    if (value && typeof value === "object" && !Array.isArray(value)) return { value };
    return { wrong: 'This must be an object in braces, such as {"amount": 5}.' };
  } catch (error) {
    return { wrong: `This is not JSON yet; names and texts stand in "double quotes". ${/** @type {Error} */ (error).message}` };
  }
}
