import { pictureBox } from "../lib/picture-box.js";

/** A part of a picture is drawn over with the pointer and handed on in the values of its axes. */
const LEAST_PX = 6;

export class ScatterBrush {
  #root;
  #picture;
  #mark;
  #onChosen;
  #from = null;

  constructor(root, onChosen) {
    this.#root = root;
    this.#picture = root.querySelector(".picture");
    this.#mark = root.querySelector("[data-brush]");
    this.#onChosen = onChosen;
    root.addEventListener("pointerdown", (event) => this.#begin(event));
    root.addEventListener("pointermove", (event) => this.#draw(event));
    root.addEventListener("pointerup", (event) => this.#end(event));
    root.addEventListener("pointercancel", () => this.#stop());
    // a point is a link, and links can be dragged away
    root.addEventListener("dragstart", (event) => event.preventDefault());
  }

  #begin(event) {
    if (event.button !== 0) return;
    this.#from = { x: event.clientX, y: event.clientY };
  }

  #draw(event) {
    if (!this.#from || !this.#isLarge(event)) return;
    this.#root.setPointerCapture(event.pointerId);
    const box = this.#root.getBoundingClientRect();
    const [left, right] = [this.#from.x, event.clientX].sort((a, b) => a - b);
    const [top, bottom] = [this.#from.y, event.clientY].sort((a, b) => a - b);
    Object.assign(this.#mark.style, {
      left: `${left - box.left}px`,
      top: `${top - box.top}px`,
      width: `${right - left}px`,
      height: `${bottom - top}px`,
    });
    this.#mark.hidden = false;
  }

  #end(event) {
    if (this.#from && this.#isLarge(event)) this.#onChosen(this.#values(event));
    this.#from = null;
  }

  #stop() {
    this.#from = null;
    this.#mark.hidden = true;
  }

  #isLarge({ clientX, clientY }) {
    const { x, y } = this.#from;
    return Math.abs(clientX - x) > LEAST_PX && Math.abs(clientY - y) > LEAST_PX;
  }

  #values({ clientX, clientY }) {
    const area = pictureBox(this.#picture);
    const { left, right, bottom, top } = this.#root.dataset;
    const across = (x) => Number(left) + ((x - area.left) / area.width) * (right - left);
    const up = (y) => Number(top) - ((y - area.top) / area.height) * (top - bottom);
    const [x1, x2] = [across(this.#from.x), across(clientX)].sort((a, b) => a - b);
    const [y1, y2] = [up(this.#from.y), up(clientY)].sort((a, b) => a - b);
    return { left: x1, right: x2, bottom: y1, top: y2 };
  }
}
