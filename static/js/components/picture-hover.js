import { pictureBox } from "../lib/picture-box.js";

/** A picture's point under the pointer is told in its legend line: the day, and each line's value. */
export function bindHover(root) {
  const data = root.querySelector("script[type='application/json']");
  const told = root.querySelector("[data-told]");
  const picture = root.querySelector(".picture");
  if (!data || !told || !picture) return;
  const rows = JSON.parse(data.textContent);
  const resting = told.textContent;
  root.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = pictureBox(picture);
    const share = Math.min(1, Math.max(0, (clientX - left) / width));
    const nearest = rows.reduce(
      (best, row) => (Math.abs(row.at - share) < Math.abs(best.at - share) ? row : best),
      rows[0],
    );
    told.textContent = nearest?.text ?? resting;
  });
  root.addEventListener("pointerleave", () => {
    told.textContent = resting;
  });
}
