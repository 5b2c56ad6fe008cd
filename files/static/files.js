// Shows what is found while somebody types. Without this script the search works by its button.
const PAUSE = 350; // milliseconds without a key: Box allows six searches a second, and sixty a minute
const form = document.querySelector("form.search");

if (form) {
  const input = form.querySelector("input");
  const list = form.querySelector(".found");
  const status = form.querySelector("[role=status]");
  let timer;
  let asked = new AbortController();

  const show = (found) => {
    list.replaceChildren(...found.slice(0, 8).map(({ name, address }) => {
      const link = Object.assign(document.createElement(address ? "a" : "span"), { textContent: name });
      if (address) link.href = address;
      const row = document.createElement("li");
      row.append(link);
      return row;
    }));
    list.hidden = !found.length;
    status.textContent = found.length ? `${found.length} found` : "Nothing found";
  };

  const search = async () => {
    asked.abort();
    asked = new AbortController();
    const address = new URL(form.action);
    address.searchParams.set("q", input.value);
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: asked.signal });
      if (answer.ok) show((await answer.json()).found);
    } catch { /* a newer search took its place, or the network is away: the button says more */ }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim()) timer = setTimeout(search, PAUSE);
    else list.hidden = true;
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") list.hidden = true;
  });
}
