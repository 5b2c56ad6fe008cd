// Sends a form once, however often its button is pressed. Without this script most forms still do their work once; see
// `CommentForm.add_to` and `promote`.
const sent = new Set();

document.addEventListener("submit", (event) => {
  if (sent.has(event.target)) event.preventDefault();
  else if (event.target.method === "post") sent.add(event.target);
});
addEventListener("pageshow", () => sent.clear()); // who comes back to the page may send again
