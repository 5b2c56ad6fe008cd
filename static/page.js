// What makes pages handier where JavaScript runs. Everything works without it, and what needs it is hidden until it is here.

/** Say something to people who listen to the page: it goes into the live region of base.html. */
function announce(text) {
  const region = document.getElementById("announcements");
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 50); // the same words twice are news only after a pause
}

/** Select an element's text; return whether the browser copied it. Only https and this machine have the clipboard. */
async function copyText(element) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(element.textContent.trim());
      return true;
    } catch { /* not allowed; the older way may be */ }
  }
  getSelection().selectAllChildren(element);
  return document.execCommand("copy");
}

/** Copy what a button is for, and say so; where that fails, the text is selected already. */
async function copyFor(button) {
  const copied = await copyText(document.getElementById(button.dataset.copy));
  button.dataset.words ??= button.textContent;
  button.textContent = copied ? "Copied" : "Press Ctrl+C";
  announce(copied ? "Copied" : "Not copied. The text is selected: press Ctrl+C.");
  setTimeout(() => { button.textContent = button.dataset.words; }, 2000);
}

/** Buttons with data-copy="id" copy the text of that element. */
function showCopyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copyFor(button));
  }
}

showCopyButtons();
