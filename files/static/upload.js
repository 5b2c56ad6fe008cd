// Many files and whole folders, each with its progress, from the plain form for one file.
import { Refused, addressOf, dropped, folderOf, post, renewToken, sendFile } from "./upload_calls.js";

const AT_ONCE = 3;
const ASK_FIRST = 1_000_000; // bytes from which it would be a pity to send a file in vain
const TRIES = 6; // while Box is busy
const OVER = new Set(["done", "skipped", "cancelled"]);
const COUNTED = { asked: "waiting for your answer", failed: "failed", skipped: "skipped", cancelled: "cancelled" };

const form = document.getElementById("upload");
const { conflict } = form.elements;
const drop = form.querySelector(".drop");
const list = document.querySelector(".uploads");
const row = document.querySelector("template").content.firstElementChild;
const told = document.getElementById("uploaded");
const signedOut = document.querySelector(".signed-out");
const uploads = [];
let paused = false;

class Upload {
  constructor(file, path) { // without a file it is the folder itself
    const name = file?.name ?? path.slice(path.lastIndexOf("/") + 1);
    Object.assign(this, { file, path, answer: "", tries: 0, state: "waiting" });
    this.item = row.cloneNode(true);
    this.bar = this.part("progress");
    this.bar.ariaLabel = `Progress of ${name}`;
    this.part("bdi").textContent = [path, file?.name].filter(Boolean).join("/");
    for (const button of this.item.querySelectorAll("button")) {
      button.append(Object.assign(document.createElement("span"), { className: "unseen", textContent: ` ${name}` }));
    }
    this.part(".cancel").onclick = () => this.cancel();
    this.part(".retry").onclick = () => this.wait();
    for (const button of this.item.querySelectorAll(".choices button")) {
      button.onclick = () => { this.answer = button.value; this.wait(); };
    }
    list.append(this.item);
    this.show("waiting", "Waiting");
  }

  part(selector) { return this.item.querySelector(selector); }

  // Hide these parts or show them; if the focus was on one that goes, it stays in the row.
  hide(parts) {
    const focused = this.item.contains(document.activeElement) && document.activeElement;
    for (const [selector, hidden] of Object.entries(parts)) this.part(selector).hidden = hidden;
    if (!focused || !focused.closest("[hidden]")) return;
    const visible = [...this.item.querySelectorAll("button")].find((button) => !button.closest("[hidden]"));
    (visible ?? this.item).focus();
  }

  show(state, words) {
    this.state = state;
    this.item.className = state;
    this.part(".state").textContent = words;
    this.hide({ ".choices": state !== "asked", ".retry": state !== "failed" && state !== "cancelled", ".cancel": OVER.has(state) });
    this.bar.hidden = state === "skipped" || state === "cancelled";
    if (state !== "running") this.bar.value = state === "done" ? 1 : 0;
  }

  wait() {
    this.tries = 0;
    this.show("waiting", "Waiting");
    next();
  }

  cancel() {
    this.show("cancelled", "Cancelled");
    this.request?.abort();
    next();
  }

  async run() {
    this.show("running", "Starting");
    try {
      const made = await this.send();
      if (made && this.state === "running") this.finish(made);
    } catch (error) {
      if (this.state === "running") await this.fail(error);
    }
    next();
  }

  finish(made) {
    if (!made.id) this.show("skipped", "Skipped");
    else if (!this.file) this.show("done", "The folder is there");
    else this.show("done", made.name === this.file.name ? "Uploaded" : `Uploaded as ${made.name}`);
  }

  async send() {
    this.folder = await folderOf(this.path);
    if (!this.file) return { id: this.folder };
    const about = { name: this.file.name, conflict: this.answer || conflict.value };
    if (this.file.size > ASK_FIRST) await this.ask(about);
    if (this.state !== "running") return null; // cancelled meanwhile
    this.request = new XMLHttpRequest();
    this.request.upload.onprogress = (event) => this.progress(event.loaded, event.total);
    return sendFile(this.request, addressOf(this.folder), about, this.file).catch(async (error) => {
      // No answer: perhaps it came before all was sent, and got lost with the connection. The question brings it again.
      if (error.status === 0 && this.state === "running") await this.ask(about);
      throw error;
    });
  }

  async ask({ name, conflict }) {
    try {
      await post(addressOf(this.folder, "upload/check"), { name, size: this.file.size });
    } catch (error) {
      if (error.status && !(error.code === "name_taken" && conflict)) throw error;
    }
  }

  progress(sent, all) {
    if (this.state !== "running") return;
    this.bar.value = all ? sent / all : 0;
    this.part(".state").textContent = sent < all ? `${Math.floor((100 * sent) / all)} %` : "Box is storing it";
    this.hide({ ".cancel": sent >= all }); // it is out of our hands
  }

  async fail(error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === "name_taken" && !this.answer) {
      this.show("asked", "There is a file or folder of this name.");
    } else if (error.status === 401 || error.code === "form_expired") {
      this.show("waiting", "Waiting for you to sign in");
      paused = true;
      signedOut.hidden = false;
    } else if (error.code === "box_busy" && ++this.tries < TRIES) {
      this.part(".state").textContent = "Box is busy; this goes on in a moment";
      await new Promise((resolve) => setTimeout(resolve, 1000 * (error.after || 2 ** this.tries)));
      if (this.state === "running") this.show("waiting", "Waiting");
    } else {
      this.answer = "";
      this.show("failed", error.message);
    }
  }
}

function next() {
  let free = paused ? 0 : AT_ONCE - uploads.filter((each) => each.state === "running").length;
  for (const upload of uploads) {
    if (free > 0 && upload.state === "waiting") {
      free -= 1;
      upload.run();
    }
  }
  tell();
}

function tell() {
  const count = (state) => uploads.filter((each) => each.state === state).length;
  const parts = Object.entries(COUNTED).filter(([state]) => count(state)).map(([state, words]) => `${count(state)} ${words}`);
  const over = uploads.every((each) => OVER.has(each.state));
  const words = [`${count("done")} of ${uploads.length} uploaded`, ...parts].join(", ") + (over ? ". That is all." : ".");
  if (uploads.length && told.textContent !== words) told.textContent = words;
}

async function goOn() {
  if (!(await renewToken())) return;
  if (signedOut.contains(document.activeElement)) told.focus(); // as its button goes
  signedOut.hidden = true;
  paused = false;
  next();
}

function add(files) {
  uploads.push(...files.map(([file, path]) => new Upload(file, path)));
  next();
}

function choose(input) {
  add([...input.files].map((file) => [file, file.webkitRelativePath.split("/").slice(0, -1).join("/")]));
  input.value = "";
}

async function take(event) {
  event.preventDefault();
  drop.classList.remove("over");
  const { items, files } = event.dataTransfer;
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // they end with the event
  if (!entries.length) add([...files].map((file) => [file, ""])); // a browser that knows no folders
  for await (const each of dropped(entries)) add([each]);
}

form.elements.file.multiple = true;
form.querySelector("label[for=file]").textContent = "Files";
form.querySelector("button:not([type])").hidden = true;
for (const hidden of drop.querySelectorAll("[hidden]")) hidden.hidden = false;
conflict.options[0].disabled = conflict.options[0].hidden = false;
conflict.value = "";
conflict.onchange = () => conflict.value && uploads.filter((each) => each.state === "asked").forEach((each) => each.wait());
for (const input of form.querySelectorAll("input[type=file]")) input.onchange = () => choose(input);
form.onsubmit = (event) => event.preventDefault();
signedOut.querySelector("button").onclick = goOn;
document.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
document.ondragleave = (event) => event.relatedTarget || drop.classList.remove("over");
document.ondrop = take;
window.onbeforeunload = (event) => { if (uploads.some((each) => ["running", "waiting"].includes(each.state))) event.preventDefault(); };
