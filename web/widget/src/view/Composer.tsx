import { Component, createRef } from "preact";
import type { Chat } from "../chat";
import type { Words } from "../words";
import { SendIcon } from "./icons";

const LONGEST = 4000;
const TALLEST_PX = 132;

interface Props {
  chat: Chat;
  words: Words;
}

/** Where the visitor writes. Enter sends, Shift+Enter begins a new line. */
export class Composer extends Component<Props, { text: string }> {
  override state = { text: "" };
  readonly #field = createRef<HTMLTextAreaElement>();

  override componentDidMount() {
    this.#field.current?.focus({ preventScroll: true });
  }

  override componentDidUpdate() {
    const field = this.#field.current;
    if (!field) return;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, TALLEST_PX)}px`;
  }

  override render({ chat, words }: Props, { text }: { text: string }) {
    return (
      <form class="composer" onSubmit={this.#send}>
        <textarea
          ref={this.#field}
          rows={1}
          dir="auto"
          maxLength={LONGEST}
          value={text}
          placeholder={words.placeholder}
          aria-label={words.placeholder}
          enterkeyhint="send"
          onInput={({ currentTarget: { value } }) => {
            this.setState({ text: value });
            chat.typing(value !== "");
          }}
          onBlur={() => chat.typing(false)}
          onKeyDown={(event) => {
            // While an input method composes a word, Enter only accepts it.
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#send(event);
          }}
        />
        <button type="submit" class="send" aria-label={words.send} disabled={!text.trim()}>
          <SendIcon />
        </button>
      </form>
    );
  }

  readonly #send = (event: Event) => {
    event.preventDefault();
    const text = this.state.text.trim();
    if (!text) return;
    this.props.chat.say({ type: "text", text });
    this.setState({ text: "" });
    this.#field.current?.focus();
  };
}
