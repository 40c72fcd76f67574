import { money, signed } from "../lib/format.js";

/** The newest bar's bands, with each band's CVD of the shown range. */
export function drawBands(body, line, unit) {
  const rows = Object.entries(line?.bar[unit] ?? {}).map(([name, band]) => {
    const row = document.createElement("tr");
    const cvd = line.bands[name];
    for (const [text, kind] of [
      [name, ""], [money(band.buy), "number"], [money(band.sell), "number"], [money(band.count), "number"],
      [signed(cvd), `number ${cvd < 0 ? "down" : "up"}`],
    ]) {
      const cell = row.insertCell();
      cell.textContent = text;
      cell.className = kind;
    }
    return row;
  });
  body.replaceChildren(...rows);
}
