/** Times in the reader's zone, 24 hours. */

let known;

/** The zone that the page names, UTC where it names none. */
function zone() {
  known ??= globalThis.document?.querySelector("[data-zone]")?.dataset.zone || "UTC";
  return known;
}

const made = new Map();

function formatter(name, options) {
  const key = `${name}${zone()}`;
  if (!made.has(key)) {
    const locale = globalThis.document?.documentElement.lang === "ko" ? "ko" : "en-GB";
    made.set(
      key,
      new Intl.DateTimeFormat(locale, { timeZone: zone(), hourCycle: "h23", ...options }),
    );
  }
  return made.get(key);
}

const clockOptions = { hour: "2-digit", minute: "2-digit" };
const dayOptions = { day: "numeric", month: "short" };

/** 14:01, with seconds where bars are shorter than a minute. */
export function clockText(seconds, hasSeconds = false) {
  const options = hasSeconds ? { ...clockOptions, second: "2-digit" } : clockOptions;
  return formatter(`clock${hasSeconds}`, options).format(seconds * 1_000);
}

export function dayText(seconds) {
  return formatter("day", dayOptions).format(seconds * 1_000);
}

export function yearText(seconds) {
  return formatter("year", { year: "numeric" }).format(seconds * 1_000);
}

export function monthText(seconds) {
  return formatter("month", { month: "short", year: "numeric" }).format(seconds * 1_000);
}

/** Thu 19 Nov, 14:01: what the crosshair says. */
export function momentText(seconds, step) {
  const date = { weekday: "short", ...dayOptions, year: "numeric" };
  if (step >= 86_400) return formatter("date", date).format(seconds * 1_000);
  return formatter(`moment${step < 60}`, {
    ...date,
    ...clockOptions,
    ...(step < 60 ? { second: "2-digit" } : {}),
  }).format(seconds * 1_000);
}

/** From–to in as few words as tell it. */
export function betweenText(from, to, step) {
  const isDays = step >= 86_400;
  if (isDays) return `${dayText(from)}–${dayText(to)}`;
  const [start, end] = [clockText(from, step < 60), clockText(to, step < 60)];
  const isOneDay = dayText(from) === dayText(to);
  return isOneDay ? `${start}–${end}` : `${dayText(from)} ${start}–${dayText(to)} ${end}`;
}
