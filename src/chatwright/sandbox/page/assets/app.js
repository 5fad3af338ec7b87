// The page: whose phone is shown, what it shows, and what is written on it.

import { accountPath, call, follow, personPath, settings } from "./api.js";
import { ask, byId, h, trying } from "./dom.js";
import { showClock, showConnect, showDeeds, showFaults, showWebhooks } from "./panel.js";
import { Thread } from "./thread.js";
import { mediaKind, PROVIDERS, providerOf } from "./words.js";

const WEBHOOKS_EVERY = 2000;
const WIDE = matchMedia("(min-width: 64rem)");

const state = { accounts: [], people: [], account: null, person: null, context: null, about: null };
const thread = new Thread(byId("log"), {
  press: (bubble, button) => act({ type: "press", bubble: bubble.id, button: button.id }),
  react: (bubble, emoji) => act({ type: "react", bubble: bubble.id, emoji }),
  reply: (bubble) => begin({ type: "reply", bubble }),
  edit: (bubble) => begin({ type: "edit", bubble }),
  unsend: (bubble) => act({ type: "unsend", bubble: bubble.id }),
});

async function loadAccounts() {
  state.accounts = await call("GET", "/accounts");
  const [kind, id] = wanted();
  state.account =
    state.accounts.find((account) => account.kind === kind && account.id === id) ?? state.accounts[0] ?? null;
  byId("account").replaceChildren(
    ...state.accounts.map((account) =>
      h("option", { value: key(account) }, `${providerOf(account.kind).name}: ${account.name}`),
    ),
  );
  if (state.account) byId("account").value = key(state.account);
  await loadPeople();
}

async function loadPeople() {
  const { account } = state;
  state.people = account ? await call("GET", `${accountPath(account)}/people`) : [];
  const [, , id] = wanted();
  const chosen = state.people.find((person) => person.id === id) ?? state.people[0] ?? null;
  byId("person").replaceChildren(
    ...state.people.map((person) => h("option", { value: person.id }, person.name)),
  );
  if (chosen) byId("person").value = chosen.id;
  await loadPerson(chosen);
  showConnect(account, state.about.product_url);
  showFaults(account, state.about.faults);
  await showWebhooks(account);
}

async function loadPerson(chosen) {
  const { account } = state;
  const person = account && chosen ? await call("GET", personPath(account, chosen)) : null;
  // Whoever was chosen meanwhile is loaded by their own call.
  if (account !== state.account) return;
  if (person?.id !== state.person?.id) end();
  state.person = person;
  draw();
}

function draw() {
  const { account, person } = state;
  const phone = byId("phone");
  phone.dataset.kind = account?.kind ?? "";
  byId("face").textContent = account?.name.charAt(0) ?? "";
  byId("title").textContent = account?.name ?? "No account yet";
  byId("subtitle").textContent = subtitle(account, person);
  for (const element of phone.querySelectorAll("button, textarea")) element.disabled = !person;
  const attach = providerOf(account?.kind).attach;
  for (const button of phone.querySelectorAll("[data-more]"))
    button.hidden = !attach.includes(button.dataset.more);
  thread.show(account, person);
  showDeeds(account, person);
}

function subtitle(account, person) {
  if (!account) return "Add an account to begin.";
  if (!person) return "Add a person to chat as.";
  if (person.typing) return "typing…";
  return `${providerOf(account.kind).name}, on the phone of ${person.name}`;
}

// What the address names: kind, account and person.
const wanted = () => location.hash.slice(1).split("/").map(decodeURIComponent);
const key = (account) => `${account.kind}/${account.id}`;

function choose(account, person) {
  const parts = [account.kind, account.id, ...(person ? [person.id] : [])];
  history.replaceState(null, "", `#${parts.map(encodeURIComponent).join("/")}`);
}

const act = (action) =>
  trying(async () => {
    await call("POST", `${personPath(state.account, state.person)}/actions`, action);
    return true;
  });

function begin(context) {
  state.context = context;
  const editing = context.type === "edit";
  byId("context").hidden = false;
  byId("context-text").textContent =
    `${editing ? "Editing" : "Replying to"}: ${context.bubble.text || context.bubble.kind}`;
  if (editing) byId("text").value = context.bubble.text;
  byId("text").focus();
}

function end() {
  if (state.context?.type === "edit") byId("text").value = "";
  state.context = null;
  byId("context").hidden = true;
}

async function write(event) {
  event.preventDefault();
  const text = byId("text").value.trim();
  if (!text || !state.person) return;
  const { context } = state;
  const action =
    context?.type === "edit"
      ? { type: "edit", bubble: context.bubble.id, text }
      : { type: "say", text, reply_to: context?.bubble.id ?? null };
  if (await act(action)) {
    byId("text").value = "";
    end();
  }
}

async function attach(kind) {
  byId("more").open = false;
  if (kind === "file") {
    byId("file").click();
    return;
  }
  if (kind === "contact") {
    const { person } = state;
    const values = await ask("Send a contact", "Send", [
      { name: "name", label: "Name", value: person.name, required: true },
      { name: "phone", label: "Phone", value: person.phone, required: true },
    ]);
    if (values) await act({ type: "contact", ...values });
    return;
  }
  const values = await ask("Send a location", "Send", [
    { name: "latitude", label: "Latitude", value: "10.7769", required: true },
    { name: "longitude", label: "Longitude", value: "106.7009", required: true },
    { name: "name", label: "Name of the place" },
    { name: "address", label: "Address" },
  ]);
  if (!values) return;
  const { latitude, longitude, ...named } = values;
  await act({ type: "location", latitude: Number(latitude), longitude: Number(longitude), ...named });
}

async function sendFiles(files) {
  const caption = byId("text").value.trim();
  const together = files.length > 1 && state.account.kind === "telegram";
  const details = together ? { media_group_id: String(Date.now()) } : {};
  for (const [index, file] of [...files].entries()) {
    const sent = await act({
      type: "media",
      kind: mediaKind(file),
      content: await base64(file),
      mime_type: file.type || "application/octet-stream",
      filename: file.name,
      caption: index ? "" : caption,
      reply_to: state.context?.bubble.id ?? null,
      details,
    });
    if (!sent) return;
  }
  byId("text").value = "";
  end();
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

async function addAccount() {
  const kinds = Object.entries(PROVIDERS).map(([kind, provider]) => [kind, provider.name]);
  const values = await ask("Add an account", "Add", [
    { name: "kind", label: "Provider", options: kinds },
    { name: "name", label: "Name", value: "Corner Shop", required: true },
  ]);
  if (!values) return;
  const account = await call("POST", "/accounts", values);
  choose(account);
  await loadAccounts();
}

async function addPerson() {
  if (!state.account) return;
  const values = await ask("Add a person", "Add", [
    { name: "name", label: "Name", required: true },
    { name: "phone", label: "Phone (optional)", type: "tel" },
  ]);
  if (!values) return;
  const person = await call("POST", `${accountPath(state.account)}/people`, values);
  choose(state.account, person);
  await loadPeople();
}

function toggleTools(open) {
  byId("panel").hidden = !open;
  byId("tools").setAttribute("aria-expanded", String(open));
}

function listen() {
  byId("account").addEventListener("change", (event) => {
    const [kind, id] = event.target.value.split("/");
    choose({ kind, id });
    trying(loadAccounts);
  });
  byId("person").addEventListener("change", (event) => {
    choose(state.account, { id: event.target.value });
    trying(loadPeople);
  });
  byId("add-account").addEventListener("click", () => trying(addAccount));
  byId("add-person").addEventListener("click", () => trying(addPerson));
  byId("read").addEventListener("click", () => act({ type: "read" }));
  byId("composer").addEventListener("submit", write);
  byId("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      byId("composer").requestSubmit();
    }
    if (event.key === "Escape") end();
  });
  byId("context-end").addEventListener("click", end);
  for (const button of document.querySelectorAll("[data-more]")) {
    button.addEventListener("click", () => trying(() => attach(button.dataset.more)));
  }
  byId("file").addEventListener("change", (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    trying(() => sendFiles(files));
  });
  byId("tools").addEventListener("click", () => toggleTools(byId("panel").hidden));
  byId("webhooks-section").addEventListener("toggle", () => trying(() => showWebhooks(state.account)));
  document.addEventListener("click", closeSheets);
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeSheets(event));
  window.addEventListener("hashchange", () => trying(loadAccounts));
}

// Opening a sheet, or a click or Escape anywhere else, closes the others.
function closeSheets(event) {
  for (const sheet of document.querySelectorAll("details.actions[open], details.more[open]")) {
    if (event.key === "Escape" || !sheet.contains(event.target)) sheet.open = false;
  }
}

// Runs one at a time, and once more when asked meanwhile.
function gathered(work) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      await trying(work);
    } while (again);
    running = false;
  };
}

const refreshAll = gathered(loadAccounts);
const refreshPerson = gathered(() => loadPerson(state.person));

function hear(change) {
  const { account, person } = state;
  const here = account && change.kind === account.kind && change.account_id === account.id;
  if (!here || change.person_id === null || !person) refreshAll();
  else if (change.person_id === person.id) refreshPerson();
  else if (!state.people.some((known) => known.id === change.person_id)) refreshAll();
}

async function start() {
  toggleTools(WIDE.matches);
  listen();
  state.about = await settings();
  await loadAccounts();
  await showClock();
  follow(hear, refreshAll);
  setInterval(() => showWebhooks(state.account).catch(() => undefined), WEBHOOKS_EVERY);
}

trying(start);
