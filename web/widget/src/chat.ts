import type { Content, Message, Profile } from "./content";
import type { ServerEvent } from "./events";
import { Keep } from "./keep";
import { type Entry, Outbox } from "./outbox";
import { Patience } from "./patience";
import { Refused, Server } from "./server";

const OPEN = "chatwright:open";
const RENEW_MS = 24 * 3600 * 1000;
const BATCH = 50;
/** The server sends something every 15 seconds; after this long the connection is dead. */
const SILENCE_MS = 40_000;
/** A stream that shows nothing by then is held back by something on the way: ask instead. */
const FIRST_BYTES_MS = 10_000;
const POLL_MS = 4_000;
/** Hidden tabs give their connection back: browsers allow only six to one server. */
const HIDDEN_MS = 60_000;
const UNWELCOME_MS = 60_000;
const TYPING_SHOWN_MS = 6_000;
const TYPING_TOLD_MS = 4_000;
/** Another tab sends its own messages; this one takes over if that tab is gone. */
const TAKE_OVER_MS = 3_000;

/** The conversation as this page knows it. `onChange` is called after every change. */
export class Chat {
  profile: Profile | undefined;
  messages: Message[] = [];
  pending: Entry[] = [];
  opened = false;
  /** Whether the history is there. */
  loaded = false;
  connected = false;
  /** Whether the server refuses this website or does not know the inbox. */
  unwelcome = false;
  agentTyping = false;
  agentRead = 0;
  read = 0;
  onChange: () => void = () => undefined;

  readonly #server: Server;
  readonly #keep: Keep;
  readonly #outbox: Outbox;
  readonly #sending = new Patience();
  readonly #following = new Patience();
  #flushing = false;
  #polling = false;
  /** The position after which this page knows the history; undefined before it asked for any. */
  #from: number | undefined;
  #position = 0;
  #stop: AbortController | undefined;
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  #hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  #typingTold = 0;

  constructor(base: string, inbox: string) {
    this.#server = new Server(base, inbox);
    this.#keep = new Keep(inbox);
    this.#outbox = new Outbox(this.#keep);
  }

  /** Learn what to show, and go on where the visitor left off if they ever opened the chat. */
  async start(): Promise<void> {
    const patience = new Patience();
    while (!this.profile) {
      try {
        this.profile = await this.#server.profile();
      } catch (error) {
        await patience.wait(waitFor(error));
      }
    }
    this.#listen();
    if (this.#wasOpen) this.open();
    else if (this.#keep.get("token")) this.#connect();
    this.onChange();
  }

  open(): void {
    if (this.opened) return;
    this.opened = true;
    this.#rememberOpen();
    // While closed, only what is new was asked for.
    if (this.#from) this.#forget();
    this.#connect();
    this.#markRead();
    this.onChange();
  }

  close(): void {
    this.opened = false;
    this.#rememberOpen();
    this.onChange();
  }

  /** Forget the visitor, for instance when they sign out of the website. */
  reset(): void {
    this.#keep.clear();
    this.#forget();
    this.close();
  }

  get unread(): number {
    return this.messages.filter((message) => message.direction === "out" && message.position > this.read)
      .length;
  }

  say(content: Extract<Content, { type: "text" | "reply" }>): void {
    this.#outbox.add(content);
    this.#typingTold = 0;
    this.#refreshPending();
    this.#sending.hurry();
    void this.#flush();
  }

  retry(entry: Entry): void {
    this.#outbox.move(entry, "waiting");
    this.#refreshPending();
    void this.#flush();
  }

  discard(entry: Entry): void {
    this.#outbox.remove(entry);
    this.#refreshPending();
  }

  /** The visitor types, or no longer does; tells the other side now and then, if there is one yet. */
  typing(typing: boolean): void {
    const token = this.#keep.get("token");
    const now = Date.now();
    const told = now - this.#typingTold < TYPING_TOLD_MS;
    if (!token || this.messages.length === 0 || (typing ? told : this.#typingTold === 0)) return;
    this.#typingTold = typing ? now : 0;
    this.#server.typing(token, typing).catch(() => undefined);
  }

  #listen(): void {
    this.#keep.onChangeElsewhere((key) => {
      if (key === "visitor") this.#changeVisitor();
      else if (key.startsWith("out:")) {
        this.#refreshPending();
        setTimeout(() => void this.#flush(), TAKE_OVER_MS);
      }
    });
    addEventListener("online", () => this.#return());
    addEventListener("offline", () => this.#pause());
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#hiddenTimer);
      if (document.hidden) this.#hiddenTimer = setTimeout(() => this.#pause(), HIDDEN_MS);
      else this.#return();
    });
  }

  #pause(): void {
    this.#stop?.abort();
    this.#setConnected(false);
  }

  #return(): void {
    if (this.#from !== undefined || this.#keep.get("token")) this.#connect();
    this.#sending.hurry();
    this.#following.hurry();
    this.#markRead();
  }

  /** Follow the conversation if this page does not yet, and send what is left from before. */
  #connect(): void {
    if (this.#from === undefined) {
      this.read = Number(this.#keep.get("read"));
      this.#from = this.opened ? 0 : this.read;
      this.#position = this.#from;
    }
    if ((!this.#stop || this.#stop.signal.aborted) && !document.hidden) {
      this.#stop = new AbortController();
      void this.#follow(this.#stop.signal);
    }
    this.#refreshPending();
    void this.#flush();
  }

  /** Stop following, and know nothing. */
  #forget(): void {
    this.#stop?.abort();
    this.#from = undefined;
    this.#position = 0;
    this.messages = [];
    this.pending = [];
    this.read = 0;
    this.agentRead = 0;
    this.agentTyping = false;
    this.loaded = false;
  }

  /** Another tab began or ended the visitor's session. */
  #changeVisitor(): void {
    if (!this.#keep.get("visitor")) {
      this.reset();
      return;
    }
    this.#forget();
    this.#connect();
    this.onChange();
  }

  async #follow(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      try {
        const token = await this.#token();
        if (this.#polling) await this.#poll(token, stopped);
        else await this.#stream(token, stopped);
      } catch (error) {
        if (stopped.aborted) return;
        this.#setConnected(false);
        this.#judge(error);
        await this.#following.wait(waitFor(error));
      }
    }
  }

  async #stream(token: string, stopped: AbortSignal): Promise<void> {
    const attempt = new AbortController();
    let silence = setTimeout(() => {
      this.#polling = true;
      attempt.abort();
    }, FIRST_BYTES_MS);
    const onBytes = () => {
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(), SILENCE_MS);
      this.#setConnected(true);
    };
    const signal = AbortSignal.any([attempt.signal, stopped]);
    try {
      for await (const event of this.#server.stream(token, this.#position, signal, onBytes)) {
        if (stopped.aborted) return;
        this.#take(event);
      }
      this.#setConnected(false);
      await this.#following.wait();
    } finally {
      clearTimeout(silence);
      attempt.abort();
    }
  }

  async #poll(token: string, stopped: AbortSignal): Promise<void> {
    const news = await this.#server.history(token, this.#position);
    if (stopped.aborted) return;
    this.#setConnected(true);
    for (const message of news.items) this.#add(message);
    this.read = Math.max(this.read, news.read);
    this.agentRead = news.agent_read;
    this.#changed();
    if (!news.more) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }

  #take({ event, data }: ServerEvent): void {
    const value = JSON.parse(data);
    if (event === "message") this.#add(value);
    if (event === "read") this.#setRead(value.up_to);
    if (event === "agent_read") this.agentRead = value.up_to;
    if (event === "typing") this.#showTyping(value.typing);
    this.#changed();
  }

  #add(message: Message): void {
    if (message.position <= this.#position) return;
    this.#position = message.position;
    this.messages = [...this.messages, message];
    if (message.direction === "out") this.#showTyping(false);
  }

  #changed(): void {
    this.#markRead();
    this.#refreshPending();
  }

  #setConnected(connected: boolean): void {
    if (connected) {
      this.#following.rest();
      this.unwelcome = false;
      this.loaded = true;
    }
    if (connected === this.connected) return;
    this.connected = connected;
    this.onChange();
    if (connected) this.#sending.hurry();
  }

  #showTyping(typing: boolean): void {
    clearTimeout(this.#typingTimer);
    this.agentTyping = typing;
    if (!typing) return;
    this.#typingTimer = setTimeout(() => {
      this.agentTyping = false;
      this.onChange();
    }, TYPING_SHOWN_MS);
  }

  #setRead(position: number): void {
    if (position <= this.read) return;
    this.read = position;
    this.#keep.set("read", String(position));
  }

  /** What the visitor has before their eyes counts as read. */
  #markRead(): void {
    const last = this.messages.findLast((message) => message.direction === "out");
    if (!this.opened || document.hidden || !last || last.position <= this.read) return;
    const token = this.#keep.get("token");
    this.#setRead(last.position);
    if (token) this.#server.send(token, [{ type: "read", up_to: last.id }]).catch(() => undefined);
  }

  #refreshPending(): void {
    this.#outbox.settle(this.messages);
    this.pending = this.#outbox.entries();
    this.onChange();
  }

  /** Send what waits, in order, until nothing does. */
  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    let most = BATCH;
    for (let batch = this.#outbox.waiting(); batch.length > 0; batch = this.#outbox.waiting()) {
      const part = batch.slice(0, most);
      try {
        const events = part.map((entry) => entry.event);
        await this.#server.send(await this.#token(), events);
        for (const entry of part) this.#outbox.move(entry, "taken");
        this.#sending.rest();
      } catch (error) {
        const hopeless = error instanceof Refused && error.hopeless;
        const [only] = part;
        if (hopeless && part.length === 1 && only) this.#outbox.move(only, "failed");
        if (hopeless) most = 1;
        else {
          this.#judge(error);
          await this.#sending.wait(waitFor(error));
        }
      }
      this.#refreshPending();
    }
    this.#flushing = false;
  }

  /** React to a failure that concerns more than the one call. */
  #judge(error: unknown): void {
    if (!(error instanceof Refused)) return;
    if (error.status === 401) this.#keep.remove("renewed");
    this.unwelcome = error.unwelcome;
    this.onChange();
  }

  /** The visitor's token: the kept one, or a new one if there is none or it should be renewed. */
  async #token(): Promise<string> {
    return this.#keptToken() ?? (await alone("chatwright", () => this.#renew()));
  }

  #keptToken(): string | null {
    const fresh = Date.now() - Number(this.#keep.get("renewed")) < RENEW_MS;
    return fresh ? this.#keep.get("token") : null;
  }

  async #renew(): Promise<string> {
    // Another tab may have been quicker.
    const kept = this.#keptToken();
    if (kept) return kept;
    const before = this.#keep.get("visitor");
    const session = await this.#server.session(this.#keep.get("token"));
    if (before !== null && before !== session.visitor_id) {
      // The server no longer knows the old visitor; the history is somebody else's now.
      this.#keep.remove("read");
      this.#forget();
      queueMicrotask(() => this.#connect());
    }
    this.profile = session.inbox;
    this.#keep.set("token", session.token);
    this.#keep.set("renewed", String(Date.now()));
    // Last, because it is what other tabs listen for.
    this.#keep.set("visitor", session.visitor_id);
    return session.token;
  }

  /** Whether the chat was open in this tab before a reload. */
  get #wasOpen(): boolean {
    try {
      return sessionStorage.getItem(OPEN) !== null;
    } catch {
      return false;
    }
  }

  #rememberOpen(): void {
    try {
      if (this.opened) sessionStorage.setItem(OPEN, "");
      else sessionStorage.removeItem(OPEN);
    } catch {
      // Then a reload closes the chat.
    }
  }
}

function waitFor(error: unknown): number {
  if (!(error instanceof Refused)) return 0;
  return error.retryAfter ?? (error.unwelcome ? UNWELCOME_MS : 0);
}

/** Do something while no other tab does it, where the browser can tell. */
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}
