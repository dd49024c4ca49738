// @ts-check
/**
 * Hands on the diagram: drag with the mouse, ctrl and wheel, two fingers. Scrolling itself is the browser's.
 */

const SLACK = 4;

export class Gestures {
  /**
   * @param {HTMLElement} view What scrolls.
   * @param {{onZoom: (factor: number, at: {x: number, y: number}) => void, onTouch: () => void}} options
   */
  constructor(view, { onZoom, onTouch }) {
    this.view = view;
    this.onZoom = onZoom;
    this.onTouch = onTouch;
    /** Whether the press that just ended was a drag: its click means nothing. */
    this.dragged = false;
    /** @private @type {{x: number, y: number, left: number, top: number} | null} */ this.start = null;
    /** @private */ this.spread = 0;
    this.mouse();
    this.fingers();
    view.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** @private @param {WheelEvent} event */
  wheel(event) {
    this.onTouch();
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    this.onZoom(Math.exp(-Math.max(-60, Math.min(60, pixels)) / 300), { x: event.clientX, y: event.clientY });
  }

  /** @private */
  mouse() {
    const { view } = this;
    view.addEventListener("pointerdown", (event) => {
      this.dragged = false;
      if (event.pointerType === "touch" || event.button !== 0) return;
      this.start = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop };
    });
    view.addEventListener("pointermove", (event) => this.drag(event));
    const end = () => {
      this.start = null;
      view.classList.remove("ws-dragging");
    };
    view.addEventListener("pointerup", end);
    view.addEventListener("pointercancel", end);
    view.addEventListener("lostpointercapture", end);
  }

  /** @private @param {PointerEvent} event */
  drag(event) {
    if (!this.start || !(event.buttons & 1)) return;
    const x = event.clientX - this.start.x;
    const y = event.clientY - this.start.y;
    if (!this.dragged && Math.hypot(x, y) < SLACK) return;
    if (!this.dragged) {
      this.dragged = true;
      this.view.setPointerCapture(event.pointerId);
      this.view.classList.add("ws-dragging");
    }
    this.onTouch();
    this.view.scrollTo({ left: this.start.left - x, top: this.start.top - y, behavior: "instant" });
  }

  /** @private */
  fingers() {
    const { view } = this;
    view.addEventListener(
      "touchstart",
      (event) => {
        if (event.touches.length === 2) this.spread = apart(event.touches);
      },
      { passive: true },
    );
    view.addEventListener(
      "touchmove",
      (event) => {
        this.onTouch();
        if (event.touches.length !== 2 || !this.spread) return;
        if (event.cancelable) event.preventDefault();
        const now = apart(event.touches);
        this.onZoom(now / this.spread, middle(event.touches));
        this.spread = now;
      },
      { passive: false },
    );
    view.addEventListener("touchend", () => (this.spread = 0), { passive: true });
  }
}

/** @param {TouchList} touches */
function apart(touches) {
  return Math.max(1, Math.hypot(touches[0].clientX - touches[1].clientX, touches[0].clientY - touches[1].clientY));
}

/** @param {TouchList} touches */
function middle(touches) {
  return { x: (touches[0].clientX + touches[1].clientX) / 2, y: (touches[0].clientY + touches[1].clientY) / 2 };
}
