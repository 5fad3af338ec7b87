import { Component, createRef } from "preact";
import type { Chat } from "../chat";
import type { Language } from "../words";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { ChatIcon, CloseIcon } from "./icons";

const MOST_SHOWN = 9;

interface Props {
  chat: Chat;
  language: Language;
}

/** The bubble, and the chat above it while it is open. */
export class Widget extends Component<Props> {
  readonly #launcher = createRef<HTMLButtonElement>();
  #wasOpened = false;

  override componentDidUpdate() {
    const { opened } = this.props.chat;
    // Whoever closes the chat goes on from the bubble.
    if (this.#wasOpened && !opened) this.#launcher.current?.focus();
    this.#wasOpened = opened;
  }

  override render({ chat, language }: Props) {
    const { words } = language;
    const unread = chat.opened ? 0 : chat.unread;
    const label = unread > 0 ? `${words.open}, ${unread} ${words.unread}` : words.open;
    return (
      <>
        {chat.opened && <Panel chat={chat} language={language} />}
        <button
          ref={this.#launcher}
          type="button"
          class="launcher"
          aria-expanded={chat.opened}
          aria-label={chat.opened ? words.close : label}
          onClick={() => (chat.opened ? chat.close() : chat.open())}
        >
          {chat.opened ? <CloseIcon /> : <ChatIcon />}
          {unread > 0 && (
            <span class="badge" aria-hidden="true">
              {unread > MOST_SHOWN ? `${MOST_SHOWN}+` : unread}
            </span>
          )}
        </button>
      </>
    );
  }
}

function Panel({ chat, language }: Props) {
  const { words } = language;
  const trouble = chat.unwelcome ? words.unwelcome : chat.connected ? undefined : words.reconnecting;
  return (
    <section
      class="panel"
      role="dialog"
      aria-label={chat.profile?.name}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.isComposing) chat.close();
      }}
    >
      <header>
        <h2 dir="auto">{chat.profile?.name}</h2>
        <button type="button" class="close" aria-label={words.close} onClick={() => chat.close()}>
          <CloseIcon />
        </button>
      </header>
      <Conversation chat={chat} language={language} />
      <p class={trouble ? "trouble shown" : "trouble"} role="status">
        {trouble}
      </p>
      <Composer chat={chat} words={words} />
    </section>
  );
}
