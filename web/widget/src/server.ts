import type { Message, Profile } from "./content";
import { readEvents, type ServerEvent } from "./events";

/** The server answered, but not with success. */
export class Refused extends Error {
  readonly status: number;
  /** Milliseconds, where the server said how long to wait. */
  readonly retryAfter: number | undefined;

  constructor(response: Response) {
    super(`answered ${response.status}`);
    this.status = response.status;
    const seconds = Number(response.headers.get("retry-after"));
    this.retryAfter = seconds > 0 ? seconds * 1000 : undefined;
  }

  /** The website may not use this inbox, or there is no such inbox: trying again soon is pointless. */
  get unwelcome(): boolean {
    return this.status === 403 || this.status === 404;
  }

  /** What was sent will never be taken. */
  get hopeless(): boolean {
    return this.status === 400 || this.status === 413 || this.status === 422;
  }
}

export interface Session {
  token: string;
  visitor_id: string;
  inbox: Profile;
}

export type OutgoingEvent =
  | { type: "message"; client_id: string; text: string; sent_at: string }
  | { type: "reply"; client_id: string; text: string; payload: string; sent_at: string }
  | { type: "read"; up_to: string };

export interface History {
  items: Message[];
  more: boolean;
  read: number;
  agent_read: number;
}

const ANSWER_MS = 15_000;

/** Calls of the inbox's routes. */
export class Server {
  readonly #base: string;
  readonly #inbox: string;

  constructor(base: string, inbox: string) {
    this.#base = base;
    this.#inbox = encodeURIComponent(inbox);
  }

  async profile(): Promise<Profile> {
    return (await this.#call("GET", `/webchat/${this.#inbox}`)).json();
  }

  async session(token: string | null): Promise<Session> {
    return (await this.#call("POST", `/webchat/${this.#inbox}/session`, null, token ? { token } : {})).json();
  }

  async send(token: string, events: OutgoingEvent[]): Promise<void> {
    await this.#call("POST", `/hooks/${this.#inbox}`, token, { events });
  }

  async typing(token: string, typing: boolean): Promise<void> {
    await this.#call("POST", `/webchat/${this.#inbox}/typing`, token, { typing });
  }

  async history(token: string, after: number): Promise<History> {
    return (await this.#call("GET", `/webchat/${this.#inbox}/messages?after=${after}`, token)).json();
  }

  /** News after a position until the stream ends; `onBytes` is called for whatever arrives, heartbeats too. */
  async *stream(
    token: string,
    after: number,
    signal: AbortSignal,
    onBytes: () => void,
  ): AsyncGenerator<ServerEvent> {
    const path = `/webchat/${this.#inbox}/stream?after=${after}`;
    const response = await this.#fetch("GET", path, token, undefined, signal);
    if (response.body) yield* readEvents(response.body, onBytes);
  }

  async #call(method: string, path: string, token: string | null = null, body?: object): Promise<Response> {
    return this.#fetch(method, path, token, body, AbortSignal.timeout(ANSWER_MS));
  }

  async #fetch(
    method: string,
    path: string,
    token: string | null,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const headers: Record<string, string> = {};
    if (token) headers["authorization"] = `Bearer ${token}`;
    if (body) headers["content-type"] = "application/json";
    const response = await fetch(this.#base + path, {
      method,
      headers,
      signal,
      body: body ? JSON.stringify(body) : null,
      credentials: "omit",
      cache: method === "GET" && !token ? "default" : "no-store",
    });
    if (!response.ok) throw new Refused(response);
    return response;
  }
}
