const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Waiting between attempts: twice as long each time, never in step with other browsers, cut short by `hurry`. */
export class Patience {
  #attempts = 0;
  #wake: (() => void) | undefined;

  /** It went well: begin anew with short waits. */
  rest(): void {
    this.#attempts = 0;
  }

  /** Something changed that makes an attempt worthwhile now. */
  hurry(): void {
    this.#wake?.();
  }

  async wait(atLeast = 0): Promise<void> {
    const backoff = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#attempts) * (0.5 + Math.random() / 2);
    this.#attempts += 1;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, Math.max(backoff, atLeast));
    });
    this.#wake = undefined;
  }
}
