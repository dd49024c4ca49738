// @ts-check
/**
 * Light colours for YAML: a line becomes pieces of text with a kind. For the eye only; must never be taken for a parser.
 */

/** @typedef {[kind: string, text: string]} Piece */

const LONGEST = 2000;
const BREAK = /\r\n|[\n\r\x85\u2028\u2029]/;
const BLOCK = /[|>][+-]?\d?[+-]?\s*(?:#.*)?$/;
const TEMPLATE = /\{\{.*?\}\}|\{%.*?%\}/y;

/** Tried in this order at each place; `fresh`: only where a value or key may begin. */
const RULES = /** @type {const} */ ([
  ["space", /\s+/y, false],
  ["template", TEMPLATE, false],
  ["key", /(?:"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^\s\-?:,[\]{}#&*!|>'"%@`][^:#,[\]{}]*)(?=\s*:(?:\s|$))/y, true],
  ["string", /"(?:\\.|[^"\\])*"?|'(?:''|[^'])*'?/y, true],
  ["number", /[-+]?\d+(?:\.\d+)?(?=[\s,\]}]|$)/y, true],
  ["word", /(?:true|false|null|~)(?=[\s,\]}]|$)/y, true],
  ["mark", /[-?](?=\s|$)|:(?=\s|$)|[,[\]{}]|[|>][-+\d]*$|[&*!](?=\w)/y, false],
  ["plain", /[^\s,[\]{}:]+|./uy, false],
]);

/** Lines as YAML counts them. @param {string} text */
export function linesOf(text) {
  return text.split(BREAK);
}

/** @param {string} line @param {number} at @param {boolean} fresh @returns {Piece} */
function piece(line, at, fresh) {
  if (line[at] === "#" && (at === 0 || /\s/.test(line[at - 1]))) return ["comment", line.slice(at)];
  for (const [kind, pattern, begins] of RULES) {
    if (begins && !fresh) continue;
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match) return [kind, match[0]];
  }
  return ["plain", line.slice(at)];
}

/** @param {string} line @returns {Piece[]} */
function pieces(line) {
  if (line.length > LONGEST) return [["plain", line]];
  /** @type {Piece[]} */
  const found = [];
  let fresh = true;
  for (let at = 0; at < line.length;) {
    const next = piece(line, at, fresh);
    found.push(next);
    at += next[1].length;
    if (next[0] !== "space") fresh = next[0] === "mark";
  }
  return found;
}

/** A line of a text block: only what is put in stands out. @param {string} line @returns {Piece[]} */
function blockPieces(line) {
  if (line.length > LONGEST) return [["string", line]];
  /** @type {Piece[]} */
  const found = [];
  let at = 0;
  for (const match of line.matchAll(/\{\{.*?\}\}|\{%.*?%\}/g)) {
    if (match.index > at) found.push(["string", line.slice(at, match.index)]);
    found.push(["template", match[0]]);
    at = match.index + match[0].length;
  }
  if (at < line.length) found.push(["string", line.slice(at)]);
  return found;
}

/**
 * The lines of a file in coloured pieces; joined again they are the line itself.
 * @param {string} text
 * @returns {Piece[][]}
 */
export function colour(text) {
  let block = -1;
  return linesOf(text).map((line) => {
    const indent = line.search(/\S/);
    if (block >= 0 && (indent < 0 || indent > block)) return blockPieces(line);
    block = indent >= 0 && !/^\s*#/.test(line) && BLOCK.test(line) && /(?:^|[\s:-])[|>]/.test(line) ? indent : -1;
    return pieces(line);
  });
}
