/** The token that Django wants with every request that changes something. */
export function csrf() {
  return (
    document.cookie
      .split("; ")
      .find((pair) => pair.startsWith("csrftoken="))
      ?.slice(10) ?? ""
  );
}
