// narrower than this the filters are a sheet with a button of its own
const DESK = matchMedia("(min-width: 761px)");

/** Filters apply as soon as one is chosen; only those that are set stand in the address. */
export function bindFilters(form) {
  form.classList.add("is-instant");
  const apply = () => {
    const chosen = [...new FormData(form)].filter(
      ([name, value]) => value !== "" && !(/^(b_)?state$/.test(name) && value === "closed"),
    );
    location.assign(`${form.getAttribute("action")}?${new URLSearchParams(chosen)}`);
  };
  form.addEventListener("change", (event) => {
    // a date is typed part by part: it counts when it is left; ranges have a button of their own
    if (DESK.matches && !event.target.matches("[type=date], [type=number]")) apply();
  });
  for (const field of form.querySelectorAll("[type=date]")) {
    const before = field.value;
    field.addEventListener("blur", () => DESK.matches && field.value !== before && apply());
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
}
