// Shows the element of Box's that the page names, with tokens that the app makes for it.
const place = document.querySelector("[data-element]");
const EARLY = 0.1; // of a token's life; a new one is asked for that long before its end
let token = null; // a promise, so that calls at the same time share a token
let renewAt = 0;

class Refused extends Error {}

// Says what went wrong. Loading the page again leads to signing in, if that is what is missing.
function tell(words) {
  const trouble = document.querySelector(".trouble[role=alert]");
  const again = document.createElement("a");
  again.href = location.href;
  again.textContent = "Load this page again";
  trouble.replaceChildren(`${words} `, again);
  trouble.hidden = false;
}

async function newToken() {
  const answer = await fetch(place.dataset.token, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": place.dataset.csrf },
  });
  const said = await answer.json();
  if (said.error?.code === "form_expired") throw new Refused("Your sign-in has ended, or this page is old.");
  if (!answer.ok) throw new Refused(`${said.error.happened} ${said.error.todo}`);
  renewAt = Date.now() + (said.expires_in || 60) * 1000 * (1 - EARLY);
  return said.token;
}

function currentToken() {
  if (token === null || Date.now() >= renewAt) {
    renewAt = Infinity;
    token = newToken().catch((error) => {
      token = null;
      tell(error instanceof Refused ? error.message : "The app cannot be reached, or did not understand.");
      throw error;
    });
  }
  return token;
}

// Box may end a token before its time. The element's own way to send (axios's adapter) tries once more with a new one.
function trySendingTwice(request) {
  const send = request.adapter;
  if (typeof send !== "function") return request;
  request.adapter = (sent) =>
    send(sent).catch(async (error) => {
      if (error.response === undefined || error.response.data?.code === "cors_origin_not_whitelisted") {
        tell(`Box does not answer this page. Is ${location.origin} listed under CORS Domains of your Box app?`);
      }
      if (error.response?.status !== 401) throw error;
      token = null;
      const headers = { ...sent.headers, Authorization: `Bearer ${await currentToken()}` };
      return send({ ...sent, headers });
    });
  return request;
}

// Lists what was chosen, with links to the pages of this app, and tells other scripts of the page.
function choose(items) {
  place.dispatchEvent(new CustomEvent("chosen", { detail: items, bubbles: true }));
  const chosen = document.querySelector(".chosen");
  const links = items.map((item) => {
    const page = place.dataset[item.type]?.replace(/0?$/, item.id);
    const name = document.createElement(page ? "a" : "span");
    if (page) name.href = page;
    name.textContent = item.name;
    return name;
  });
  chosen.replaceChildren("Chosen: ", ...links);
  chosen.hidden = links.length === 0;
}

if (window.Box?.[place.dataset.element]) {
  const element = new window.Box[place.dataset.element]();
  element.addListener("choose", choose);
  element.addListener("select", choose);
  element.addListener("cancel", () => choose([]));
  element.show(place.dataset.item, currentToken, {
    ...JSON.parse(place.dataset.options),
    container: place,
    requestInterceptor: trySendingTwice,
  });
} else {
  tell("Box's script could not be loaded: is the network there, and is Box's content network allowed?");
}
