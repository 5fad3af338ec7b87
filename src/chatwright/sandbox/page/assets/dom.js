// Elements without a framework.

// An element; properties named on... are listeners, `class` and names with a dash are attributes.
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list" && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

export const byId = (id) => document.getElementById(id);

const drawn = new WeakMap();

// Fills a place anew only when what it shows is new: what somebody is writing there stays.
export function fill(place, state, build) {
  const key = JSON.stringify(state);
  if (drawn.get(place) === key) return;
  drawn.set(place, key);
  place.replaceChildren(...[build()].flat());
}

let hiding;

export function tell(text) {
  const toast = byId("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove("shown"), 5000);
}

// Runs something a person asked for, and tells them when it was refused.
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    tell(error.message);
    return undefined;
  }
}

// Asks for a few fields; gives their values, or null.
export function ask(title, button, fields) {
  const dialog = byId("dialog");
  byId("dialog-title").textContent = title;
  byId("dialog-ok").textContent = button;
  const inputs = fields.map((field) => [field.name, input(field)]);
  byId("dialog-fields").replaceChildren(
    ...inputs.map(([, element], index) => h("label", {}, fields[index].label, element)),
  );
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const values = Object.fromEntries(inputs.map(([name, element]) => [name, element.value.trim()]));
        resolve(dialog.returnValue === "ok" ? values : null);
      },
      { once: true },
    );
  });
}

function input(field) {
  if (field.options) {
    return h(
      "select",
      {},
      field.options.map(([value, label]) => h("option", { value }, label)),
    );
  }
  if (field.long) return h("textarea", { rows: 4, value: field.value ?? "" });
  return h("input", { value: field.value ?? "", required: field.required, type: field.type ?? "text" });
}
