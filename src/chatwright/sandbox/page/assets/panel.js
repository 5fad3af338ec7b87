// The tools beside the phone: credentials, deeds, faults, webhooks, clock.

import { accountPath, call, personPath } from "./api.js";
import { ask, byId, fill, h, tell, trying } from "./dom.js";
import { BASES, connectCommand, DEEDS, providerOf, spoken } from "./words.js";

const SECONDS = { "1 hour": 3600, "24 hours": 86400, "48 hours": 172800, "7 days": 604800 };
const SET_BY_PRODUCT = "telegram";
const HOOKS_SHOWN = 20;

export function showConnect(account, productUrl) {
  const { kind, id, name, secrets, details, webhook_url } = account ?? {};
  fill(byId("connect"), [kind, id, name, secrets, details, webhook_url], () =>
    account ? credentials(account, productUrl) : h("p", {}, "Add an account first."),
  );
}

function credentials(account, productUrl) {
  const entries = [
    ["Base URL", `${location.origin}${BASES[account.kind] ?? ""}`],
    ["Id", account.id],
  ];
  for (const [name, value] of Object.entries(account.secrets)) {
    if (name !== "verify_token") entries.push([spoken(name), value]);
  }
  for (const [name, value] of Object.entries(account.details)) {
    if (typeof value === "string") entries.push([spoken(name), value]);
  }
  const product = productUrl
    ? h("a", { href: productUrl, target: "_blank", rel: "noopener" }, "your Chatwright")
    : "your Chatwright";
  const inbox = ` as a ${providerOf(account.kind).name} inbox with these values. They guard nothing but this sandbox.`;
  return [
    h("p", {}, `Connect ${account.name} in `, product, inbox),
    h(
      "dl",
      {},
      entries.map(([name, value]) => entry(name, value)),
      entry("Command", connectCommand(account)),
    ),
    webhook(account),
  ];
}

function entry(name, value) {
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    tell(`${name} copied.`);
  };
  return h(
    "div",
    {},
    h("dt", {}, name),
    h(
      "dd",
      {},
      h("code", { "data-name": name }, value),
      h("button", { type: "button", "aria-label": `Copy ${name}`, onclick: () => trying(copy) }, "Copy"),
    ),
  );
}

function webhook(account) {
  if (account.kind === SET_BY_PRODUCT) {
    return h("p", {}, `Webhook: ${account.webhook_url ?? "none yet; the product sets it when you connect."}`);
  }
  const url = h("input", { type: "url", id: "webhook-url", value: account.webhook_url ?? "" });
  const graph = BASES[account.kind] === "/graph";
  const token = h("input", { id: "verify-token", value: account.secrets.verify_token ?? "" });
  const save = async (event) => {
    event.preventDefault();
    const secrets = graph ? { verify_token: token.value.trim() } : {};
    await call("PATCH", accountPath(account), { webhook_url: url.value.trim() || null, secrets });
    // As Meta does at this moment: an address that does not answer rightly is refused.
    if (graph && url.value.trim())
      await call("POST", `${accountPath(account)}/events`, { name: "handshake" });
    tell("Webhook URL saved.");
  };
  return h(
    "form",
    { class: "inline", onsubmit: (event) => trying(() => save(event)) },
    h("label", { htmlFor: "webhook-url" }, "Webhook URL"),
    url,
    graph ? h("label", { htmlFor: "verify-token" }, "Verify token of the webhook") : null,
    graph ? token : null,
    h("button", { type: "submit" }, "Save webhook"),
  );
}

export function showDeeds(account, person) {
  fill(byId("deeds"), [account?.kind, account?.id, person?.id], () =>
    person ? deeds(account, person) : h("p", {}, "Add a person first."),
  );
  if (person) byId("facts").textContent = facts(account, person);
}

function deeds(account, person) {
  const act = (action) => trying(() => call("POST", `${personPath(account, person)}/actions`, action));
  const buttons = providerOf(account.kind).deeds.map((type) =>
    h("button", { type: "button", onclick: () => deed(type, act) }, DEEDS[type].label),
  );
  return [h("p", { id: "facts" }), h("div", { class: "row" }, buttons), happen(act)];
}

function facts(account, person) {
  const said = person.last_said_at ? new Date(person.last_said_at).toLocaleString() : "never";
  const known = [`Id ${person.id}`, person.phone, `last wrote: ${said}`];
  if (account.kind === "zalo") known.push(person.follows ? "follows" : "does not follow");
  if (person.blocked) known.push("has blocked the account");
  return known.filter(Boolean).join(" · ");
}

async function deed(type, act) {
  const { label, ask: wanted, hint, required } = DEEDS[type];
  if (!wanted) {
    await act({ type });
    return;
  }
  const values = await ask(label, "Do it", [{ name: wanted, label: hint, required }]);
  if (values) await act({ type, ...values });
}

function happen(act) {
  const name = h("input", { id: "event-name", required: true });
  const values = h("textarea", { id: "event-values", rows: 3, value: "{}" });
  const submit = (event) => {
    event.preventDefault();
    return trying(async () => act({ type: "happen", name: name.value.trim(), values: parsed(values.value) }));
  };
  return h(
    "details",
    {},
    h("summary", {}, "Anything else, in the provider's words"),
    h(
      "form",
      { class: "stack", onsubmit: submit },
      h("label", { htmlFor: "event-name" }, "Event name"),
      name,
      h("label", { htmlFor: "event-values" }, "Values as JSON"),
      values,
      h("button", { type: "submit" }, "Let it happen"),
    ),
  );
}

function parsed(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    throw new Error("The values are no JSON.");
  }
}

// Draws the switches, unless somebody is writing in one of them.
export function showFaults(account, schema) {
  const form = byId("faults");
  form.onsubmit = (event) => event.preventDefault();
  if (form.contains(document.activeElement) && form.dataset.of === account?.id) return;
  form.dataset.of = account?.id ?? "";
  fill(form, [account?.kind, account?.id, account?.faults], () =>
    account ? switches(account, schema) : h("p", {}, "Add an account first."),
  );
}

function switches(account, schema) {
  const back = () =>
    trying(async () => {
      await call("PUT", `${accountPath(account)}/faults`, {});
      const none = Object.fromEntries(Object.entries(schema).map(([name, about]) => [name, about.default]));
      byId("faults").replaceChildren(...switches({ ...account, faults: none }, schema));
      tell("All set back.");
    });
  return [
    ...Object.entries(schema).map(([name, about]) => fault(account, name, about, account.faults[name])),
    h("button", { type: "button", onclick: back }, "Set all back"),
  ];
}

function fault(account, name, about, value) {
  const id = `fault-${name}`;
  const field = faultField(id, about, value);
  field.addEventListener("change", () =>
    trying(async () => {
      await call("PATCH", `${accountPath(account)}/faults`, { [name]: faultValue(field, about) });
      tell(`${spoken(name)} set.`);
    }),
  );
  const label = h("label", { htmlFor: id }, spoken(name));
  const hint = h("small", { id: `${id}-hint` }, about.description ?? "");
  return h("div", { class: field.type === "checkbox" ? "fault check" : "fault" }, label, field, hint);
}

function faultField(id, about, value) {
  const described = { id, "aria-describedby": `${id}-hint` };
  if (about.type === "boolean") return h("input", { ...described, type: "checkbox", checked: value });
  if (about.type === "object") {
    const lines = Object.entries(value ?? {}).map(([ending, error]) => `${ending} = ${error}`);
    return h("textarea", { ...described, rows: 2, value: lines.join("\n"), placeholder: "ending = error" });
  }
  if (about.type === "number" || about.type === "integer") {
    const step = about.type === "integer" ? 1 : "any";
    return h("input", { ...described, type: "number", min: about.minimum, max: about.maximum, step, value });
  }
  return h("input", { ...described, value: value ?? "" });
}

function faultValue(field, about) {
  if (about.type === "boolean") return field.checked;
  if (about.type === "object") {
    const lines = field.value.split("\n").map((line) => line.split("=").map((part) => part.trim()));
    return Object.fromEntries(lines.filter(([ending, error]) => ending && error));
  }
  if (about.type === "number" || about.type === "integer") return Number(field.value || about.default);
  const text = field.value.trim();
  if (!text) return null;
  return (about.anyOf ?? []).some((one) => one.type === "string") ? text : Number(text);
}

export async function showWebhooks(account) {
  const place = byId("webhooks");
  if (!account || !byId("webhooks-section").open) return;
  const found = await call("GET", `${accountPath(account)}/hooks?limit=${HOOKS_SHOWN}`);
  const opened = new Set([...place.querySelectorAll("details[open]")].map((one) => one.dataset.body));
  fill(place, found, () => {
    const items = found.reverse().map((hook) => drawHook(hook, opened));
    return items.length
      ? h("ol", { class: "hooks" }, items)
      : h("p", {}, "No webhook was sent for this account yet.");
  });
}

function drawHook(hook, opened) {
  const last = hook.attempts.at(-1);
  const status = last ? (last.status ?? "no answer") : "waiting";
  const times = hook.attempts.length > 1 ? `, ${hook.attempts.length} attempts` : "";
  return h(
    "li",
    {},
    h(
      "details",
      { "data-body": hook.body, open: opened.has(hook.body) },
      h(
        "summary",
        {},
        h("span", { class: hook.state }, `${spoken(hook.state)} (${status}${times})`),
        ` ${gist(hook.body)}`,
      ),
      h("pre", {}, pretty(hook.body)),
    ),
  );
}

function gist(body) {
  const event = parsed(body);
  const change = event.entry?.[0]?.changes?.[0];
  return (
    event.event_name ?? change?.field ?? Object.keys(event).filter((name) => name !== "update_id")[0] ?? ""
  );
}

const pretty = (body) => JSON.stringify(parsed(body), null, 2);

export async function showClock() {
  const clock = await call("GET", "/clock");
  const forward = (seconds) =>
    trying(async () => {
      await call("POST", "/clock", { advance: seconds });
      await showClock();
    });
  byId("clock").replaceChildren(
    h("p", {}, `Windows and tokens are measured by ${new Date(clock.now).toLocaleString()}.`),
    h(
      "div",
      { class: "row", role: "group", "aria-label": "Move the clock on" },
      Object.entries(SECONDS).map(([label, seconds]) =>
        h("button", { type: "button", onclick: () => forward(seconds) }, `+ ${label}`),
      ),
    ),
  );
}
