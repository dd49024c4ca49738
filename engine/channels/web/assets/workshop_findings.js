// @ts-check
/**
 * What `check` says about the flow files, the moment one is saved. Must never judge a flow itself.
 */

import { h, icon, keep, setText, shortFile } from "./workshop_dom.js";

/**
 * @typedef {{file: string, line: number, column: number, code: string, severity: string, message: string, help?: string | null, source?: string | null}} Finding
 */

/** @param {number} count @param {string} word */
function counted(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/**
 * What stands before the caret; tabs stay tabs, so that it stands under its character.
 * @param {string} source @param {number} column From 1.
 */
function indent(source, column) {
  const before = [...source].slice(0, Math.max(0, column - 1));
  return before.map((character) => (character === "\t" ? "\t" : " ")).join("");
}

export class Findings {
  /** @param {(finding: Finding) => void} onPlace Somebody wants to see the place. */
  constructor(onPlace) {
    this.onPlace = onPlace;
    this.sign = h("span", { class: "ws-findings-sign" }, icon("check"));
    this.words = h("span", {}, "Flows are fine");
    this.when = h("span", { class: "ws-muted" });
    this.list = h("ol", { class: "ws-findings-list" });
    const title = "The flow files are checked whenever one is saved";
    const head = h("div", { class: "ws-findings-head", title, role: "status" }, this.sign, this.words, this.when);
    this.element = h("section", { class: "ws-findings", testid: "findings", "aria-label": "Findings" }, head, this.list);
    this.element.dataset.state = "fine";
  }

  /** @param {{errors: number, warnings: number, live: boolean, findings: Finding[], at?: string}} message */
  show(message) {
    const findings = message.findings ?? [];
    const state = message.errors ? "errors" : message.warnings ? "warnings" : "fine";
    if (this.element.dataset.state !== state) this.sign.replaceChildren(icon(state === "fine" ? "check" : "alert"));
    this.element.dataset.state = state;
    setText(this.words, this.sentence(message));
    const at = new Date(message.at ?? "");
    setText(this.when, Number.isNaN(at.getTime()) ? "" : `checked ${at.toLocaleTimeString([], { hour12: false })}`);
    keep(this.list, findings, {
      key: (finding) => JSON.stringify(finding),
      make: (finding) => h("li", {}, this.row(finding)),
    });
    this.list.hidden = findings.length === 0;
  }

  /** @private @param {{errors: number, warnings: number, live: boolean}} message */
  sentence({ errors, warnings, live }) {
    if (!errors && !warnings) return live === false ? "Flows are fine" : "Flows are fine and live";
    const parts = [errors ? counted(errors, "error") : "", warnings ? counted(warnings, "warning") : ""];
    const found = parts.filter(Boolean).join(", ");
    if (errors) return `${found}: the old version stays live`;
    return live === false ? found : `${found}: the new version is live`;
  }

  /** @private @param {Finding} finding */
  row(finding) {
    const severity = finding.severity === "warning" ? "warning" : "error";
    const source = finding.source ?? "";
    const place = `${shortFile(finding.file)}:${finding.line}:${finding.column}`;
    return h(
      "button",
      {
        type: "button",
        class: `ws-finding ws-${severity}`,
        testid: "finding",
        title: `Show this place: ${finding.file}:${finding.line}`,
        on: { click: () => this.onPlace(finding) },
      },
      h("span", { class: "ws-finding-place" }, h("span", { class: "ws-code-name" }, finding.code), " ", place),
      h("span", { class: "ws-finding-message" }, finding.message),
      source &&
        h("span", { class: "ws-finding-source" }, `${source}\n${indent(source, finding.column)}`, h("span", { class: "ws-caret" }, "^")),
      finding.help && h("span", { class: "ws-finding-help" }, finding.help),
    );
  }
}
