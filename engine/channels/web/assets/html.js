// @ts-check
/**
 * Elements made by hand, and Telegram's HTML turned into fresh elements by an allow-list. No text of anybody ever
 * becomes markup here: there is no innerHTML in this page.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. Names of properties are attributes, but `on…` functions are listeners and `class` the class name;
 * false, null and undefined leave an attribute out, true sets it empty.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on") && typeof value === "function") made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined && child !== false) made.append(child);
  return made;
}

/** A button that submits nothing. @param {Record<string, any>} attributes @param {...(Node | string)} children */
export function button(attributes, ...children) {
  return element("button", { type: "button", ...attributes }, ...children);
}

/** @param {string} name a symbol of icons.svg; it is decoration, the button around it carries the label */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Fetch the icons once and keep them in the page, so that drawing one asks the server for nothing. */
export async function loadIcons() {
  const answer = await fetch("/assets/icons.svg");
  const sprite = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
  for (const symbol of sprite.querySelectorAll("symbol")) symbol.id = `icon-${symbol.id}`;
  sprite.setAttribute("class", "sprite");
  sprite.setAttribute("aria-hidden", "true");
  document.body.append(document.importNode(sprite, true));
}

/** Tags that are drawn as themselves, and what as. */
const PLAIN = new Map(
  Object.entries({
    b: "strong",
    strong: "strong",
    i: "em",
    em: "em",
    u: "u",
    ins: "u",
    s: "s",
    strike: "s",
    del: "s",
    code: "code",
    pre: "pre",
    blockquote: "blockquote",
  }),
);
/** What a link may lead to. */
const SCHEMES = new Set(["http:", "https:", "tg:", "mailto:", "tel:"]);
const DEEPEST = 100;
const IN_TEXT = /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]»]|(?<![\w/@.<])\/[a-zA-Z0-9_]{1,32}(?![\w/])/g;

/** The address when it may be opened from here, else null. @param {string | null | undefined} address */
export function safeAddress(address) {
  if (!address) return null;
  try {
    const url = new URL(address);
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that opens elsewhere. @param {string} address @param {Record<string, any>} [attributes] */
export function outwards(address, attributes = {}) {
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer", ...attributes });
}

/**
 * Telegram HTML as fresh elements.
 * @param {string} html
 * @param {(command: string) => void} onCommand called with `/name` when such a word is clicked
 * @returns {DocumentFragment}
 */
export function telegramHtml(html, onCommand) {
  const parsed = new DOMParser().parseFromString(`<!doctype html><body>${html}`, "text/html");
  const into = document.createDocumentFragment();
  copy(parsed.body, into, { onCommand, linked: false, depth: 0 });
  const last = into.lastChild;
  if (last?.nodeType === Node.TEXT_NODE) last.nodeValue = (last.nodeValue ?? "").trimEnd();
  return into;
}

/** Plain text with its addresses clickable (and its commands, when there is a listener). */
export function plainText(
  /** @type {string} */ text,
  /** @type {((command: string) => void) | null} */ onCommand = null,
) {
  const into = document.createDocumentFragment();
  words(text, into, { onCommand, linked: false, depth: 0 });
  return into;
}

/** @typedef {{onCommand: ((command: string) => void) | null, linked: boolean, depth: number}} Place */

/** @param {Node} from @param {Node} into @param {Place} place */
function copy(from, into, place) {
  if (place.depth > DEEPEST) {
    into.appendChild(document.createTextNode(from.textContent ?? ""));
    return;
  }
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) words(afterBlock(node), into, place);
    else if (node.nodeType === Node.ELEMENT_NODE) copyElement(/** @type {Element} */ (node), into, place);
  }
}

/** The text of a node; the line break that ends a block is no empty line of its own. @param {Node} node */
function afterBlock(node) {
  const text = node.nodeValue ?? "";
  const before = node.previousSibling?.nodeName;
  return before === "PRE" || before === "BLOCKQUOTE" ? text.replace(/^\n/, "") : text;
}

/** @param {Element} node @param {Node} into @param {Place} place */
function copyElement(node, into, place) {
  const tag = node.localName;
  const deeper = { ...place, depth: place.depth + 1 };
  if (tag === "br") {
    into.appendChild(document.createTextNode("\n"));
  } else if (tag === "tg-spoiler" || (tag === "span" && node.classList.contains("tg-spoiler"))) {
    const inner = element("span", { class: "spoiler-text", "aria-hidden": "true" });
    copy(node, inner, { ...deeper, linked: true });
    into.appendChild(spoiler(inner));
  } else if (tag === "a") {
    copyLink(node, into, deeper);
  } else if (PLAIN.has(tag)) {
    const made = element(/** @type {string} */ (PLAIN.get(tag)), kept(node));
    copy(node, made, { ...deeper, linked: place.linked || tag === "code" || tag === "pre" });
    into.appendChild(made);
  } else {
    copy(node, into, deeper);
  }
}

/** The few attributes that mean something. @param {Element} node */
function kept(node) {
  const language = node.localName === "code" ? /^language-([\w+#-]{1,30})$/.exec(node.className) : null;
  if (language) return { class: language[0], "data-language": language[1] };
  if (node.localName === "blockquote" && node.hasAttribute("expandable")) return { class: "expandable" };
  return {};
}

/** @param {Element} node @param {Node} into @param {Place} place */
function copyLink(node, into, place) {
  const address = place.linked ? null : safeAddress(node.getAttribute("href"));
  if (address === null) {
    copy(node, into, place);
    return;
  }
  const link = outwards(address);
  copy(node, link, { ...place, linked: true });
  into.appendChild(link);
}

/** @param {HTMLElement} inner */
function spoiler(inner) {
  const made = element(
    "span",
    { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Hidden text: show it" },
    inner,
  );
  const show = () => {
    made.classList.add("shown");
    for (const name of ["role", "tabindex", "aria-label"]) made.removeAttribute(name);
    inner.removeAttribute("aria-hidden");
  };
  made.addEventListener("click", show, { once: true });
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    show();
  });
  return made;
}

/** @param {string} text @param {Node} into @param {Place} place */
function words(text, into, place) {
  let done = 0;
  if (!place.linked) {
    for (const match of text.matchAll(IN_TEXT)) {
      const word = match[0];
      const made = word.startsWith("/") ? commandLink(word, place.onCommand) : addressLink(word);
      if (made === null) continue;
      into.appendChild(document.createTextNode(text.slice(done, match.index)));
      into.appendChild(made);
      done = match.index + word.length;
    }
  }
  into.appendChild(document.createTextNode(text.slice(done)));
}

/** @param {string} word @param {((command: string) => void) | null} onCommand */
function commandLink(word, onCommand) {
  if (onCommand === null) return null;
  return element("button", { type: "button", class: "command", onclick: () => onCommand(word) }, word);
}

/** @param {string} word */
function addressLink(word) {
  const address = safeAddress(word);
  if (address === null) return null;
  const link = outwards(address);
  link.append(word);
  return link;
}
