const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [64, 18];

/** A small line of values (decimal texts) around its zero. Decoration: the figures stand beside it. */
export function sparkline(values) {
  const picture = document.createElementNS(SPACE, "svg");
  picture.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute("class", "sparkline");
  picture.setAttribute("aria-hidden", "true");
  if (values.length < 2) return picture;
  const numbers = values.map(Number);
  const [low, high] = [Math.min(0, ...numbers), Math.max(0, ...numbers)];
  const y = (value) => HEIGHT - 1 - ((value - low) / (high - low || 1)) * (HEIGHT - 2);
  const x = (index) => (index / (numbers.length - 1)) * WIDTH;
  picture.append(
    shape("line", { x1: 0, x2: WIDTH, y1: y(0), y2: y(0), class: "zero" }),
    shape("polyline", {
      points: numbers
        .map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`)
        .join(" "),
      class: numbers.at(-1) < 0 ? "down" : "up",
    }),
  );
  return picture;
}

function shape(name, attributes) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
