import type { Card, Choice, Content, Row } from "../content";
import type { Words } from "../words";
import { Link, Linked, safeUrl } from "./links";

type Press = (label: string, payload: string) => void;

interface SaidProps {
  content: Content;
  words: Words;
  press: Press;
}

/** What a message says, by its kind. */
export function Said({ content, words, press }: SaidProps) {
  switch (content.type) {
    case "text":
    case "reply":
      return <Linked text={content.text} />;
    case "buttons":
      return (
        <>
          <Linked text={content.text} />
          <Choices choices={content.buttons} press={press} />
        </>
      );
    case "quick_replies":
      return <Linked text={content.text} />;
    case "list":
      return <List content={content} press={press} />;
    case "carousel":
      return (
        <div class="cards">
          {content.cards.map((card) => (
            <CarouselCard key={card.title} card={card} press={press} />
          ))}
        </div>
      );
    case "media":
      return <Media content={content} />;
    case "location":
      return <Place content={content} />;
    case "contact_card":
      return <ContactCard content={content} />;
    default:
      return <em>{wordsIn(content) ?? words.unsupported}</em>;
  }
}

/** Things to press, in a row or below each other. */
export function Choices({ choices, press, loose }: { choices: Choice[]; press: Press; loose?: boolean }) {
  return (
    <div class={loose ? "choices loose" : "choices"}>
      {choices.map(({ label, payload, url }) => {
        const href = safeUrl(url);
        return href ? (
          <Link key={label} href={href}>
            {label}
          </Link>
        ) : (
          <button key={label} type="button" onClick={() => press(label, payload ?? label)}>
            {label}
          </button>
        );
      })}
    </div>
  );
}

function List({ content, press }: { content: Extract<Content, { type: "list" }>; press: Press }) {
  return (
    <>
      <Linked text={content.text} />
      <details class="list">
        <summary>{content.button}</summary>
        {content.sections.map((section) => (
          <div key={section.title} class="choices">
            {section.title && <b>{section.title}</b>}
            {section.rows.map((row) => (
              <ListRow key={row.title} row={row} press={press} />
            ))}
          </div>
        ))}
      </details>
    </>
  );
}

function ListRow({ row, press }: { row: Row; press: Press }) {
  return (
    <button type="button" onClick={() => press(row.title, row.payload ?? row.title)}>
      {row.title}
      {row.description && <small>{row.description}</small>}
    </button>
  );
}

function CarouselCard({ card, press }: { card: Card; press: Press }) {
  const image = safeUrl(card.image_url);
  return (
    <div class="card">
      {image && <img src={image} alt="" loading="lazy" />}
      <b>{card.title}</b>
      {card.subtitle && <span>{card.subtitle}</span>}
      <Choices choices={card.buttons} press={press} />
    </div>
  );
}

function Media({ content }: { content: Extract<Content, { type: "media" }> }) {
  const url = safeUrl(content.url);
  const name = content.filename ?? content.caption ?? content.kind;
  if (!url) return <em>{name}</em>;
  const caption = content.caption && <Linked text={content.caption} />;
  switch (content.kind) {
    case "image":
    case "sticker":
      return (
        <>
          <Link href={url}>
            <img src={url} alt={content.caption ?? name} loading="lazy" />
          </Link>
          {caption}
        </>
      );
    case "video":
      return (
        <>
          {/* biome-ignore lint/a11y/useMediaCaption: whoever sent it made no captions. */}
          <video src={url} controls preload="metadata" />
          {caption}
        </>
      );
    case "audio":
    case "voice":
      // biome-ignore lint/a11y/useMediaCaption: whoever sent it made no captions.
      return <audio src={url} controls preload="none" />;
    default:
      return <Link href={url}>{name}</Link>;
  }
}

function Place({ content }: { content: Extract<Content, { type: "location" }> }) {
  const { latitude, longitude } = content;
  const place = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
  return (
    <>
      <Link href={map}>{content.name || place}</Link>
      {content.address && <span class="block">{content.address}</span>}
    </>
  );
}

function ContactCard({ content }: { content: Extract<Content, { type: "contact_card" }> }) {
  return (
    <>
      <b>{content.name}</b>
      {content.phones.map((phone) => (
        <a key={phone} class="block" href={`tel:${phone.replace(/[^\d+]/g, "")}`}>
          {phone}
        </a>
      ))}
      {content.emails.map((email) => (
        <a key={email} class="block" href={`mailto:${email}`}>
          {email}
        </a>
      ))}
    </>
  );
}

/** Any words in content of a kind that is newer than this script. */
function wordsIn(content: object): string | undefined {
  return "text" in content && typeof content.text === "string" ? content.text : undefined;
}
