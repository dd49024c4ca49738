// @ts-check
/**
 * The top of the pane: which conversation, of which flow, where it stands. Must never keep the state itself.
 */

import { h, iconButton, setOptions, setText } from "./workshop_dom.js";

/** @type {Record<string, string>} */
const PHASES = {
  fetching: "its choices are being fetched",
  asking: "waiting for an answer",
  running: "its action is under way",
  broken: "its action failed; the customer may try again",
  waiting: "waiting for something from outside",
};

/** @type {Record<string, string>} The engine's own ends. */
const ENDS = {
  expired: "closed: nobody went on with it in time",
  cancelled: "cancelled by the customer",
  outdated: "over: its step or its flow is not in the files any more",
};

/** @param {any} conversation One that is over. */
function ended({ outcome }) {
  return Object.hasOwn(ENDS, outcome ?? "") ? ENDS[outcome] : `finished: ${outcome ?? "completed"}`;
}

/**
 * Where a conversation stands, in a sentence.
 * @param {any} shown
 */
export function standing(shown) {
  if (!shown) return "No conversation yet. Write something in the chat, and watch it here.";
  if (shown.status === "finished") return ended(shown);
  const frame = shown.frames?.at(-1);
  if (!frame) return "about to start";
  if (frame.gone) return `at step “${frame.step}”, which is not in the file any more: the customer will be asked to start again`;
  return `at step “${frame.step}”, ${PHASES[frame.phase] ?? frame.phase}`;
}

/** What the dot says. @param {any} shown */
function stateOf(shown) {
  if (!shown) return "none";
  if (shown.status === "finished") return Object.hasOwn(ENDS, shown.outcome ?? "") ? "closed" : "finished";
  const frame = shown.frames?.at(-1);
  return frame?.gone ? "broken" : (frame?.phase ?? "");
}

/** @param {readonly any[]} conversations @returns {{value: string, label: string}[]} */
function choices(conversations) {
  const titles = conversations.map(({ title, flow }) => title || flow);
  return conversations.map((conversation, index) => {
    const title = titles[index];
    const newer = titles.slice(0, index).filter((other) => other === title).length;
    const twin = newer ? ` (${newer} before)` : "";
    const state = conversation.front
      ? "in front"
      : conversation.status === "finished"
        ? conversation.outcome || "completed"
        : "waiting";
    return { value: conversation.id, label: `${title}${twin} · ${state}` };
  });
}

export class Head {
  /** @param {{onWatch: (conversation: string | null) => void, onClose: () => void}} options */
  constructor({ onWatch, onClose }) {
    const change = () => onWatch(this.select.value || null);
    this.select = h("select", {
      class: "ws-input ws-conversation",
      testid: "conversation-select",
      title: "Which conversation is shown here",
      "aria-label": "Conversation",
      on: { change },
    });
    this.title = h("h2", { class: "ws-title" }, "Workshop");
    this.status = h("p", { class: "ws-status", testid: "workshop-status", role: "status" });
    const close = iconButton("close", "Close the workshop", onClose, { testid: "workshop-close" });
    this.element = h("header", { class: "ws-head" }, h("div", { class: "ws-head-row" }, this.title, this.select, close), this.status);
  }

  /** @param {any} state The state message, or null. @param {string | null} watching Chosen by the person. */
  show(state, watching) {
    const shown = state?.shown;
    const conversations = state?.conversations ?? [];
    setText(this.title, shown ? shown.title || shown.flow : "Workshop");
    setText(this.status, standing(shown));
    this.status.dataset.state = stateOf(shown);
    this.select.hidden = conversations.length < 2;
    setOptions(this.select, [{ value: "", label: "Always the one in front" }, ...choices(conversations)]);
    if (document.activeElement !== this.select) this.select.value = watching ?? "";
  }
}
