import { money, signed, toneOf } from "../lib/format.js";

/** The newest bar's bands with their CVD; each name is a switch for the band's line. */
export class BandTable {
  #body;
  #rows = new Map();
  #onToggle;

  constructor(body, onToggle) {
    this.#body = body;
    this.#onToggle = onToggle;
  }

  draw(line) {
    Object.entries(line?.bands ?? {}).forEach(([name, band], index) => {
      const cells = this.#row(name, index);
      const cvd = line.bandCvd[name];
      [money(band.buy), money(band.sell), money(band.count), signed(cvd)].forEach(
        (text, column) => {
          cells[column].textContent = text;
        },
      );
      cells[3].className = `number ${toneOf(signed(cvd))}`;
    });
  }

  #row(name, index) {
    if (!this.#rows.has(name)) {
      const row = this.#body.insertRow();
      const button = document.createElement("button");
      Object.assign(button, {
        type: "button",
        textContent: name.replace("-", "–").replace(">=", "≥"),
        className: `band band-${index}`,
      });
      button.setAttribute("aria-pressed", true);
      button.addEventListener("click", () =>
        button.setAttribute("aria-pressed", this.#onToggle(name)),
      );
      row.insertCell().append(button);
      const cells = ["", "", "wide-only", ""].map((kind) =>
        Object.assign(row.insertCell(), { className: `number ${kind}` }),
      );
      this.#rows.set(name, cells);
    }
    return this.#rows.get(name);
  }
}
