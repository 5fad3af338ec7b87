// Calls of the sandbox's controls, which /_sandbox answers.

export class Refused extends Error {}

export async function call(method, path, body) {
  const answer = await fetch(`/_sandbox${path}`, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const found = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Refused(found?.message ?? `The sandbox answered ${answer.status}.`);
  return found;
}

export const accountPath = (account) => `/accounts/${account.kind}/${encodeURIComponent(account.id)}`;

export const personPath = (account, person) =>
  `${accountPath(account)}/people/${encodeURIComponent(person.id)}`;

export async function settings() {
  return (await fetch("/page/settings.json")).json();
}

// Calls back on every change; a browser connects anew by itself, and then everything may have changed.
export function follow(onChange, onOpen) {
  const source = new EventSource("/_sandbox/changes");
  source.onopen = onOpen;
  source.onmessage = (message) => onChange(JSON.parse(message.data));
}
