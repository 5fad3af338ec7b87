/**
 * The chat bubble:
 *   <script async src="https://server/widget.js" data-inbox="ID"></script>
 * Everything lives in a shadow root with an adopted style sheet, so a strict content security policy and the
 * page's own styles leave it alone.
 */

import { render } from "preact";
import { Chat } from "./chat";
import { readableOn } from "./color";
import style from "./style.css?inline";
import { Widget } from "./view/Widget";
import { languageOf } from "./words";

interface Api {
  open(): void;
  close(): void;
  /** Forget the visitor, for instance when they sign out of the website. */
  reset(): void;
}

declare global {
  interface Window {
    Chatwright?: Api;
  }
}

// A script that runs late, or was put there by another script, is found by its attribute.
const script =
  document.currentScript instanceof HTMLScriptElement
    ? document.currentScript
    : document.querySelector<HTMLScriptElement>("script[src][data-inbox]");

function mount(source: string, inbox: string): Api {
  const chat = new Chat(new URL(source).origin, inbox);
  const language = languageOf(document.documentElement.lang || navigator.language);
  const host = document.createElement("div");
  host.id = "chatwright";
  host.dir = language.direction;
  host.lang = language.tag;
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  document.body.append(host);

  let due = false;
  const draw = () => {
    due = false;
    const { profile } = chat;
    // Nobody sees a bubble that would not work.
    if (!profile) return;
    host.style.setProperty("--accent", profile.color);
    host.style.setProperty("--on-accent", readableOn(profile.color));
    render(<Widget chat={chat} language={language} />, root);
  };
  // Many changes at once, such as a long history, are drawn once.
  chat.onChange = () => {
    if (!due) setTimeout(draw);
    due = true;
  };
  void chat.start();
  return { open: () => chat.open(), close: () => chat.close(), reset: () => chat.reset() };
}

const inbox = script?.dataset["inbox"];
if (script?.src && inbox && !window.Chatwright) {
  const { src } = script;
  const begin = () => {
    window.Chatwright = mount(src, inbox);
  };
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
}
