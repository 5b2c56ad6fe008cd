// What the page for uploads asks of the app: forms sent and answers read, and a folder for each path.
const here = location.pathname.replace(/\/upload$/, ""); // …/files/<folder_id>
const base = here.slice(0, here.lastIndexOf("/") + 1);
const field = document.querySelector("#upload [name=csrf_token]");
const folders = new Map([["", Promise.resolve(here.slice(base.length))]]);

export const addressOf = (folder, what = "upload") => `${base}${folder}/${what}`;

// A refusal, in the app's words; its status is 0 where no answer came.
export class Refused extends Error {
  constructor(status, answer, after) {
    const { code = "", happened, todo } = answer?.error ?? {};
    super(happened ? `${happened} ${todo}` : status ? `The server answered ${status}.` : "The connection broke off.");
    Object.assign(this, { status, code, after: Number(after) || 0 });
  }
}

export async function post(address, fields) {
  const body = new URLSearchParams({ csrf_token: field.value, ...fields });
  const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  if (!response) throw new Refused(0);
  const answer = await response.json().catch(() => null);
  if (!response.ok || !answer) throw new Refused(response.status, answer, response.headers.get("Retry-After"));
  return answer;
}

// Send a file; `request` is an XMLHttpRequest, as fetch tells of no progress.
export function sendFile(request, address, fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ csrf_token: field.value, ...fields })) form.append(name, value);
  form.append("file", file); // last: what is before it is read first
  return new Promise((resolve, reject) => {
    request.onload = () => {
      const { status, response } = request;
      if (status === 200 && response) resolve(response);
      else reject(new Refused(status, response, request.getResponseHeader("Retry-After")));
    };
    request.onerror = request.onabort = () => reject(new Refused(0));
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.send(form);
  });
}

// Return the id of the folder for a path such as "a/b". It is made once: two requests at the same moment could make two.
export function folderOf(path) {
  if (!folders.has(path)) {
    const cut = path.lastIndexOf("/");
    const made = makeFolder(path.slice(0, Math.max(cut, 0)), path.slice(cut + 1));
    folders.set(path, made);
    made.catch(() => folders.delete(path)); // so that it can be tried again
  }
  return folders.get(path);
}

async function makeFolder(above, name) {
  const parent = await folderOf(above);
  try {
    return (await post(addressOf(parent, "upload/folder"), { name })).id;
  } catch (error) {
    if (error.code === "name_taken") error.code = ""; // by a file, which no answer about this upload changes
    throw error;
  }
}

// Take the token of the session that there is by now. Return whether somebody is signed in.
export async function renewToken() {
  const response = await fetch(location.pathname, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!response?.ok) return false;
  field.value = (await response.json()).csrf_token;
  return true;
}

// What was dropped: files, each with its folder's path, and folders in which there is nothing, as [null, path].
export async function* dropped(entries, path = "") {
  for (const entry of entries) {
    if (entry.isFile) {
      const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
      if (file) yield [file, path];
    } else {
      const reader = entry.createReader();
      const some = () => new Promise((resolve) => reader.readEntries(resolve, () => resolve(null))); // a hundred at most
      const inside = path ? `${path}/${entry.name}` : entry.name;
      let found = await some();
      if (found?.length === 0) yield [null, inside];
      for (; found?.length; found = await some()) yield* dropped(found, inside);
    }
  }
}
