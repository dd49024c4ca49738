// @ts-check
/**
 * Times in words, and the page's virtual clock: the server's time going on between two messages.
 * Must never touch the page.
 */

/** The clock of the bot: real time, or turned forwards. */
export class VirtualClock {
  constructor() {
    this.offset = 0;
    /** @private */ this.base = Date.now();
    /** @private */ this.heard = performance.now();
  }

  /**
   * Take over what the server says.
   * @param {{now?: string, offset?: number}} clock `now` ISO-8601, `offset` seconds ahead of real time.
   */
  set(clock) {
    const now = Date.parse(clock.now ?? "");
    if (Number.isFinite(now)) {
      this.base = now;
      this.heard = performance.now();
    }
    this.offset = Number.isFinite(clock.offset) ? Number(clock.offset) : 0;
  }

  /** @returns {Date} The bot's time now. */
  now() {
    return new Date(this.base + performance.now() - this.heard);
  }

  /**
   * Seconds until a moment; negative when it is over; NaN for something that is no time.
   * @param {string} moment ISO-8601.
   */
  until(moment) {
    return (Date.parse(moment) - this.now().getTime()) / 1000;
  }
}

const UNITS = /** @type {const} */ ([
  ["day", 86400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
]);

/**
 * A length of time in at most two units: "1 day 2 h", "29 min", "45 s".
 * @param {number} seconds
 */
export function span(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  if (rest >= 600) rest = Math.round(rest / 60) * 60;
  const first = UNITS.findIndex(([, size]) => rest >= size);
  if (first < 0) return "0 s";
  const parts = [];
  for (const [name, size] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(`${count} ${name === "day" && count > 1 ? "days" : name}`);
  }
  return parts.join(" ");
}

/**
 * "in 29 min", or "now" when it is due.
 * @param {number} seconds
 */
export function left(seconds) {
  if (!Number.isFinite(seconds)) return "";
  return seconds > 0.5 ? `in ${span(seconds)}` : "any moment";
}

/**
 * Hours and minutes; with the day when it is not the day of `today`.
 * @param {Date | string} moment @param {Date} today
 */
export function timeOfDay(moment, today) {
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return "";
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  if (at.toDateString() === today.toDateString()) return time;
  return `${at.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })} ${time}`;
}

/**
 * With seconds, for a list of what happened.
 * @param {string} moment
 */
export function exactTime(moment) {
  const at = new Date(moment);
  return Number.isNaN(at.getTime()) ? "" : at.toLocaleTimeString([], { hour12: false });
}
