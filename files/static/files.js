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
    const { signal } = asked;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, signal });
      if (!answer.ok) throw new Error(answer.status);
      show((await answer.json()).found);
    } catch {
      if (!signal.aborted) clear(); // what is shown was found by another text; the button says what is wrong
    }
  };

  const clear = () => {
    clearTimeout(timer);
    asked.abort();
    list.hidden = true;
    status.textContent = "";
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim()) timer = setTimeout(search, PAUSE);
    else clear();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (list.contains(document.activeElement)) input.focus(); // before it is hidden, or the focus would be nowhere
    clear();
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) clear();
  });
  // A press in the list is not one elsewhere: not every browser gives the focus to a link that is pressed.
  list.addEventListener("mousedown", (event) => event.preventDefault());
}
