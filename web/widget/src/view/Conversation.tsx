import { Component, createRef } from "preact";
import type { Chat } from "../chat";
import type { Message } from "../content";
import type { Entry } from "../outbox";
import type { Language, Words } from "../words";
import { Linked } from "./links";
import { Choices, Said } from "./Said";

const NEAR_END_PX = 120;
const PAUSE_MS = 5 * 60 * 1000;

interface Props {
  chat: Chat;
  language: Language;
}

/** Everything said, the visitor's unsent messages last. */
export class Conversation extends Component<Props> {
  readonly #log = createRef<HTMLDivElement>();
  #atEnd = true;

  override componentDidMount() {
    this.componentDidUpdate();
  }

  override componentDidUpdate() {
    const log = this.#log.current;
    if (log && this.#atEnd) log.scrollTop = log.scrollHeight;
  }

  override render({ chat, language }: Props) {
    const { messages, pending, profile } = chat;
    const { words } = language;
    const press = (text: string, payload: string) => this.#say({ type: "reply", text, payload });
    const last = messages.at(-1)?.content;
    const lastOwn = messages.findLast((message) => message.direction === "in");
    const state = (message: Message) => (chat.agentRead >= message.position ? words.seen : words.sent);
    return (
      <div
        class="log"
        role="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        tabIndex={0}
        aria-label={profile?.name}
        aria-busy={!chat.loaded}
        ref={this.#log}
        onScroll={({ currentTarget: box }) => {
          this.#atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
        }}
      >
        {profile?.greeting && (
          <div class="row theirs">
            <div class="bubble" dir="auto">
              {profile.greeting}
            </div>
          </div>
        )}
        {messages.map((message, index) => (
          <Row
            key={message.id}
            message={message}
            before={messages[index - 1]}
            language={language}
            press={press}
            state={message === lastOwn && pending.length === 0 ? state(message) : undefined}
          />
        ))}
        {pending.map((entry) => (
          <PendingRow key={entry.key} entry={entry} chat={chat} words={words} />
        ))}
        {last?.type === "quick_replies" && pending.length === 0 && (
          <Choices choices={last.replies} press={press} loose />
        )}
        {chat.agentTyping && (
          <div class="row theirs">
            <div class="bubble dots" role="img" aria-label={`${profile?.name} ${words.typing}`}>
              <i />
              <i />
              <i />
            </div>
          </div>
        )}
      </div>
    );
  }

  #say(content: Parameters<Chat["say"]>[0]) {
    this.#atEnd = true;
    // What was pressed may vanish, and the keyboard with it.
    this.#log.current?.focus();
    this.props.chat.say(content);
  }
}

interface RowProps {
  message: Message;
  before: Message | undefined;
  language: Language;
  press: (text: string, payload: string) => void;
  state: string | undefined;
}

function Row({ message, before, language, press, state }: RowProps) {
  const own = message.direction === "in";
  const at = new Date(message.at);
  const pause = !before || at.getTime() - Date.parse(before.at) > PAUSE_MS;
  const named = !own && (pause || before?.direction === "in" || before?.author !== message.author);
  return (
    <>
      {pause && <time dateTime={message.at}>{timeOf(at, language.tag)}</time>}
      <div class={own ? "row own" : "row theirs"}>
        {own && <span class="hidden">{language.words.you}: </span>}
        {named && message.author && <span class="author">{message.author}</span>}
        <div class="bubble" dir="auto">
          <Said content={message.content} words={language.words} press={press} />
        </div>
        {state && <span class="state">{state}</span>}
      </div>
    </>
  );
}

function PendingRow({ entry, chat, words }: { entry: Entry; chat: Chat; words: Words }) {
  return (
    <div class={`row own ${entry.progress}`}>
      <div class="bubble" dir="auto">
        <Linked text={entry.event.text} />
      </div>
      {entry.progress === "failed" ? (
        <span class="state" role="alert">
          {words.failed}{" "}
          <button type="button" class="plain" onClick={() => chat.retry(entry)}>
            {words.retry}
          </button>{" "}
          <button type="button" class="plain" onClick={() => chat.discard(entry)}>
            {words.discard}
          </button>
        </span>
      ) : (
        <span class="state">{entry.progress === "taken" ? words.sent : words.sending}</span>
      )}
    </div>
  );
}

/** The time of day, with the date when it is not today. */
function timeOf(at: Date, tag: string): string {
  const today = at.toDateString() === new Date().toDateString();
  const day = { day: "numeric", month: "short" } as const;
  return at.toLocaleString(tag, { hour: "2-digit", minute: "2-digit", ...(today ? {} : day) });
}
