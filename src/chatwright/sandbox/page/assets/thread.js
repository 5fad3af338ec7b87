// The bubbles of one person's thread. One that did not change keeps its element, and with it focus and scroll.

import { h } from "./dom.js";
import { providerOf, TICKS } from "./words.js";

const LINKS = new Set(["url", "web_url", "oa.open.url"]);

export class Thread {
  // `deeds` has press(bubble, button), react(bubble, emoji), reply(bubble), edit(bubble), unsend(bubble).
  constructor(log, deeds) {
    this.log = log;
    this.deeds = deeds;
    this.shown = new Map();
    this.following = true;
    this.top = 0;
    log.addEventListener("scroll", () => {
      // Growing content moves the end away, but never the top up: only a person does that.
      if (log.scrollHeight - log.scrollTop - log.clientHeight < 80) this.following = true;
      else if (log.scrollTop < this.top) this.following = false;
      this.top = log.scrollTop;
    });
    // A picture has its height only once it has come.
    log.addEventListener("load", () => this.keepUp(), true);
  }

  // Stays at the end, for whoever has not scrolled away from it.
  keepUp() {
    if (this.following) this.log.scrollTop = this.log.scrollHeight;
  }

  show(account, person) {
    const key = `${account?.kind}/${account?.id}/${person?.id}`;
    if (key !== this.key) {
      this.shown.clear();
      this.following = true;
    }
    this.key = key;
    const bubbles = person?.bubbles ?? [];
    const texts = new Map(bubbles.map((bubble) => [bubble.id, bubble.text || bubble.kind]));
    const elements = bubbles.map((bubble) => this.element(account, person, bubble, texts));
    if (person && !elements.length) elements.push(h("p", { class: "empty" }, emptyWords(account)));
    reconcile(this.log, elements);
    this.keepUp();
  }

  element(account, person, bubble, texts) {
    const state = JSON.stringify([bubble, texts.get(bubble.reply_to)]);
    const known = this.shown.get(bubble.id);
    if (known?.state === state) return known.element;
    const media = `/media/${account.kind}/${encodeURIComponent(account.id)}/${encodeURIComponent(person.id)}`;
    const element = draw(account, bubble, { media, texts, deeds: this.deeds });
    this.shown.set(bubble.id, { state, element });
    return element;
  }
}

function emptyWords(account) {
  return account.kind === "whatsapp" || account.kind === "zalo"
    ? "Nothing was said yet."
    : "Nothing was said yet. Write first: the account may not.";
}

function reconcile(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}

function draw(account, bubble, around) {
  if (bubble.side === "system") {
    return h("p", { class: "system", "data-id": bubble.id }, bubble.text);
  }
  const who = bubble.side === "person" ? "You" : account.name;
  return h(
    "article",
    {
      class: `bubble ${bubble.side}${bubble.tick === "failed" ? " failed" : ""}`,
      "aria-label": `${who}: ${bubble.deleted ? "deleted message" : bubble.text || bubble.kind}`,
      "data-id": bubble.id,
      "data-kind": bubble.kind,
      "data-tick": bubble.tick,
    },
    bubble.deleted ? h("p", { class: "gone" }, "This message was deleted.") : content(bubble, around),
    reactions(bubble),
    foot(account, bubble, around.deeds),
  );
}

function content(bubble, { media, texts, deeds }) {
  const quoted = bubble.reply_to && texts.get(bubble.reply_to);
  return [
    bubble.kind === "template" ? h("p", { class: "label" }, "Template") : null,
    quoted ? h("blockquote", {}, quoted) : null,
    bubble.header ? h("p", { class: "header" }, bubble.header) : null,
    ...bubble.media.map((file, number) =>
      drawFile(file, `${media}/${encodeURIComponent(bubble.id)}/${number}`),
    ),
    bubble.text ? h("p", { class: "text" }, bubble.text) : null,
    bubble.footer ? h("p", { class: "footer" }, bubble.footer) : null,
    cards(bubble, deeds),
    buttons(bubble, deeds),
  ];
}

function drawFile(file, stored) {
  const source = file.content ? stored : file.url;
  const name = file.filename || file.kind;
  if (!source) return h("p", { class: "file" }, name);
  const type = file.mime_type.split("/")[0];
  if (["image", "photo", "sticker", "gif"].includes(file.kind) || type === "image") {
    return h("img", {
      src: source,
      alt: `Picture: ${name}`,
      class: file.kind === "sticker" ? "sticker" : "picture",
    });
  }
  if (["audio", "voice"].includes(file.kind))
    return h("audio", { src: source, controls: true, "aria-label": name });
  if (["video", "animation", "video_note"].includes(file.kind)) {
    return h("video", { src: source, controls: true, "aria-label": name });
  }
  return h("a", { class: "file", href: source, download: name, target: "_blank", rel: "noopener" }, name);
}

function buttons(bubble, deeds) {
  if (!bubble.buttons.length) return null;
  const listed = bubble.menu_title
    ? h(
        "details",
        { class: "menu" },
        h("summary", {}, bubble.menu_title),
        rows(bubble, bubble.buttons, deeds),
      )
    : rows(bubble, bubble.buttons, deeds);
  return listed;
}

function rows(bubble, listed, deeds) {
  let section = "";
  const found = [];
  for (const button of listed) {
    if (button.section && button.section !== section) {
      section = button.section;
      found.push(h("p", { class: "section" }, section));
    }
    found.push(pressable(bubble, button, deeds));
  }
  return h("div", { class: "buttons", role: "group", "aria-label": "Buttons" }, found);
}

function pressable(bubble, button, deeds) {
  if (LINKS.has(button.kind)) {
    return h("a", { href: button.payload, target: "_blank", rel: "noopener" }, button.title);
  }
  const described = button.description ? h("small", {}, button.description) : null;
  return h("button", { type: "button", onclick: () => deeds.press(bubble, button) }, button.title, described);
}

function cards(bubble, deeds) {
  if (!bubble.cards.length) return null;
  const drawn = bubble.cards.map((card) =>
    h(
      "section",
      { class: "card", "aria-label": card.title },
      card.image_url ? h("img", { src: card.image_url, alt: "" }) : null,
      h("p", { class: "header" }, card.title),
      card.subtitle ? h("p", { class: "footer" }, card.subtitle) : null,
      card.buttons.length ? rows(bubble, card.buttons, deeds) : null,
    ),
  );
  return h("div", { class: "cards", role: "group", "aria-label": "Cards", tabIndex: 0 }, drawn);
}

function reactions(bubble) {
  const found = Object.entries(bubble.reactions);
  if (!found.length) return null;
  return h(
    "p",
    { class: "reactions", "aria-label": "Reactions" },
    found.map(([side, emoji]) => h("span", { title: side === "person" ? "You" : "The account" }, emoji)),
  );
}

function foot(account, bubble, deeds) {
  // Of what the person wrote themselves there is no more to tell than that it is there.
  const [mark, word] = (bubble.side === "account" && TICKS[bubble.tick]) || ["", ""];
  const time = new Date(bubble.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return h(
    "div",
    { class: "foot" },
    bubble.edited ? h("span", {}, "edited") : null,
    h("time", { dateTime: bubble.at }, time),
    mark
      ? h("span", { class: `tick ${bubble.tick}`, role: "img", "aria-label": word, title: word }, mark)
      : null,
    bubble.error ? h("span", { class: "error" }, `Error ${bubble.error}`) : null,
    bubble.deleted ? null : actions(account, bubble, deeds),
  );
}

function actions(account, bubble, deeds) {
  const provider = providerOf(account.kind);
  const own = bubble.side === "person" ? provider.own : [];
  const mine = bubble.reactions.person;
  const close = (work) => (event) => {
    event.target.closest("details").open = false;
    work();
  };
  return h(
    "details",
    { class: "actions" },
    h("summary", { "aria-label": "Message actions", title: "Message actions" }, "⋯"),
    h(
      "div",
      { class: "sheet" },
      h(
        "div",
        { class: "emoji", role: "group", "aria-label": "React" },
        provider.emoji.map((emoji) =>
          h(
            "button",
            {
              type: "button",
              "aria-label": `React ${emoji}`,
              "aria-pressed": String(mine === emoji),
              onclick: close(() => deeds.react(bubble, mine === emoji ? "" : emoji)),
            },
            emoji,
          ),
        ),
      ),
      h("button", { type: "button", onclick: close(() => deeds.reply(bubble)) }, "Reply"),
      own.includes("edit")
        ? h("button", { type: "button", onclick: close(() => deeds.edit(bubble)) }, "Edit")
        : null,
      own.includes("unsend")
        ? h("button", { type: "button", onclick: close(() => deeds.unsend(bubble)) }, "Unsend")
        : null,
    ),
  );
}
