// @ts-check
/**
 * Takes over a diagram that our own server drew, and nothing in it that could run, load or style the page.
 */

const ELEMENTS = new Set(
  "svg g path rect circle ellipse line polyline polygon text tspan title desc defs marker clipPath linearGradient radialGradient stop".split(
    " ",
  ),
);
const SVG = "http://www.w3.org/2000/svg";
/** The drawing's own style sheet goes before it is read: the page's policy would refuse it and complain. */
const STYLE = /<style\b[^>]*>[\s\S]*?<\/style>/g;

/** @param {Attr} attribute */
function harmless({ name, value }) {
  const lower = name.toLowerCase();
  if (lower.startsWith("on") || lower === "style" || lower.endsWith("href")) return false;
  return !/javascript:|url\(\s*(?!['"]?#)/i.test(value);
}

/** @param {Element} element */
function clean(element) {
  for (const attribute of [...element.attributes]) if (!harmless(attribute)) element.removeAttributeNode(attribute);
  for (const child of [...element.children]) {
    if (child.namespaceURI === SVG && ELEMENTS.has(child.localName)) clean(child);
    else child.remove();
  }
}

/**
 * The drawing as an element of this page, or null when the text is none.
 * @param {string} text
 * @returns {SVGSVGElement | null}
 */
export function readDrawing(text) {
  const root = new DOMParser().parseFromString(text.replace(STYLE, ""), "image/svg+xml").documentElement;
  if (root.namespaceURI !== SVG || root.localName !== "svg") return null;
  clean(root);
  return /** @type {any} */ (document.importNode(root, true));
}

/**
 * The drawing's own size in pixels.
 * @param {SVGSVGElement} svg
 * @returns {{width: number, height: number}}
 */
export function sizeOf(svg) {
  const box = (svg.getAttribute("viewBox") ?? "")
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  const width = box.length === 4 && box[2] > 0 ? box[2] : parseFloat(svg.getAttribute("width") ?? "") || 600;
  const height = box.length === 4 && box[3] > 0 ? box[3] : parseFloat(svg.getAttribute("height") ?? "") || 400;
  if (box.length !== 4) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { width, height };
}
