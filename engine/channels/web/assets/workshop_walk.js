// @ts-check
/**
 * Which lines of a diagram a customer has walked. Pure: lists in, a set out.
 */

/** @typedef {readonly [from: string, to: string]} Line */

/**
 * The shortest way between two steps, over steps that were passed by (their `if:` said no).
 * @param {string} from @param {string} to @param {readonly Line[]} lines
 * @returns {string[]} The steps from `from` to `to`; empty when there is none.
 */
function way(from, to, lines) {
  /** @type {Map<string, string>} */
  const before = new Map();
  const queue = [from];
  for (const step of queue) {
    for (const [start, end] of lines) {
      if (start !== step || before.has(end) || end === from) continue;
      before.set(end, step);
      if (end === to) return back(before, from, to);
      queue.push(end);
    }
  }
  return [];
}

/** @param {Map<string, string>} before @param {string} from @param {string} to */
function back(before, from, to) {
  const steps = [to];
  while (steps[0] !== from) steps.unshift(before.get(steps[0]) ?? from);
  return steps;
}

/**
 * @param {readonly string[]} path Steps walked, oldest first.
 * @param {readonly Line[]} lines
 * @returns {Set<number>} Indexes into `lines`.
 */
export function walkedLines(path, lines) {
  const direct = new Set(lines.map((line) => JSON.stringify(line)));
  const walked = new Set();
  for (const [index, to] of path.slice(1).entries()) {
    const pair = [path[index], to];
    const steps = direct.has(JSON.stringify(pair)) ? pair : way(pair[0], pair[1], lines);
    for (const [at, end] of steps.slice(1).entries()) walked.add(JSON.stringify([steps[at], end]));
  }
  const found = new Set();
  for (const [index, line] of lines.entries()) if (walked.has(JSON.stringify(line))) found.add(index);
  return found;
}
