import { bandText } from "../lib/amounts.js";
import { money, signed, toneOf } from "../lib/format.js";

/** The newest bar's bands with their CVD; a bar of which only the total is known has dashes. */
export class BandTable {
  #body;
  #rows = new Map();

  constructor(body) {
    this.#body = body;
  }

  draw(line) {
    Object.keys(line.bands ?? {}).forEach((name, index) => this.#row(name, index));
    for (const [name, cells] of this.#rows) {
      const band = line.bands?.[name];
      const cvd = band ? signed(line.bandCvd[name]) : "–";
      const texts = band
        ? [money(band.buy), money(band.sell), money(band.count), cvd]
        : ["–", "–", "–", "–"];
      texts.forEach((text, column) => {
        cells[column].textContent = text;
      });
      cells[3].className = `number ${toneOf(cvd)}`;
    }
  }

  #row(name, index) {
    if (this.#rows.has(name)) return;
    const row = this.#body.insertRow();
    row.append(
      Object.assign(document.createElement("th"), {
        textContent: bandText(name),
        className: `band-name band-${index}`,
        scope: "row",
      }),
    );
    const cells = ["", "", "wide-only", ""].map((kind) =>
      Object.assign(row.insertCell(), { className: `number ${kind}` }),
    );
    this.#rows.set(name, cells);
  }
}
