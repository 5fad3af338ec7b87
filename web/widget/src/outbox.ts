import type { Content, Message } from "./content";
import type { Keep } from "./keep";
import type { OutgoingEvent } from "./server";

const PREFIX = "out:";
const FORGET_MS = 7 * 24 * 3600 * 1000;

export type Spoken = Exclude<OutgoingEvent, { type: "read" }>;

/** Waiting: not known to be stored by the server. Taken: stored, not seen in the history yet. */
export type Progress = "waiting" | "taken" | "failed";

export interface Entry {
  key: string;
  event: Spoken;
  progress: Progress;
}

/**
 * The visitor's messages until the history shows them. Each has a key of its own, so that tabs never
 * overwrite each other's; the keys sort in the order of writing.
 */
export class Outbox {
  readonly #keep: Keep;
  #last = 0;

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  add(content: Extract<Content, { type: "text" | "reply" }>): Entry {
    const now = Date.now();
    // Two messages of one millisecond still have an order.
    this.#last = Math.max(now, this.#last + 1);
    const common = { client_id: newId(), text: content.text, sent_at: new Date(now).toISOString() };
    const event: Spoken =
      content.type === "reply"
        ? { type: "reply", ...common, payload: content.payload }
        : { type: "message", ...common };
    const entry: Entry = { key: `${PREFIX}${this.#last}:${event.client_id}`, event, progress: "waiting" };
    this.#write(entry);
    return entry;
  }

  entries(): Entry[] {
    const entries: Entry[] = [];
    for (const key of this.#keep.keys(PREFIX)) {
      const entry = this.#read(key);
      if (entry) entries.push(entry);
    }
    return entries;
  }

  waiting(): Entry[] {
    return this.entries().filter((entry) => entry.progress === "waiting");
  }

  move(entry: Entry, progress: Progress): void {
    // The history may have shown it meanwhile, here or in another tab.
    if (this.#keep.get(entry.key) !== null) this.#write({ ...entry, progress });
  }

  remove(entry: Entry): void {
    this.#keep.remove(entry.key);
  }

  /** Remove what the history shows. */
  settle(history: Message[]): void {
    const shown = new Set(history.map((message) => message.client_id));
    for (const entry of this.entries()) {
      if (shown.has(entry.event.client_id)) this.remove(entry);
    }
  }

  #write(entry: Entry): void {
    this.#keep.set(entry.key, JSON.stringify({ event: entry.event, progress: entry.progress }));
  }

  #read(key: string): Entry | null {
    try {
      const entry: Entry = { key, ...JSON.parse(this.#keep.get(key) ?? "") };
      const old = Date.now() - Date.parse(entry.event.sent_at) > FORGET_MS;
      if (!old || entry.progress === "waiting") return entry;
    } catch {
      // Not ours, or broken: nobody can send it.
    }
    this.#keep.remove(key);
    return null;
  }
}

function newId(): string {
  // Pages without HTTPS have no randomUUID.
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
