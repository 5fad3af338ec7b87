/**
 * What this browser keeps for an inbox, in localStorage under one prefix; in memory where a page may not store.
 * Nothing is kept before the visitor opens the chat.
 */
export class Keep {
  readonly #prefix: string;
  readonly #memory = new Map<string, string>();

  constructor(inbox: string) {
    this.#prefix = `chatwright:${inbox}:`;
  }

  get(key: string): string | null {
    try {
      return localStorage.getItem(this.#prefix + key);
    } catch {
      return this.#memory.get(key) ?? null;
    }
  }

  set(key: string, value: string): void {
    try {
      localStorage.setItem(this.#prefix + key, value);
    } catch {
      this.#memory.set(key, value);
    }
  }

  remove(key: string): void {
    this.#memory.delete(key);
    try {
      localStorage.removeItem(this.#prefix + key);
    } catch {
      // It was in memory.
    }
  }

  /** The keys that begin so, sorted. */
  keys(start = ""): string[] {
    const found = new Set(this.#memory.keys());
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(this.#prefix)) found.add(key.slice(this.#prefix.length));
      }
    } catch {
      // Only memory, then.
    }
    return [...found].filter((key) => key.startsWith(start)).sort();
  }

  clear(): void {
    for (const key of this.keys()) this.remove(key);
  }

  /** Hear of changes that other tabs make. */
  onChangeElsewhere(listener: (key: string) => void): void {
    addEventListener("storage", (event) => {
      if (event.key?.startsWith(this.#prefix)) listener(event.key.slice(this.#prefix.length));
    });
  }
}
