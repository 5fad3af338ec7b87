import type { ComponentChildren } from "preact";

const LINK = /https?:\/\/[^\s<>"]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
const TRAILING = /[.,;:!?)\]}'’”]+$/;

/** A URL that is safe to follow or show: of the web, never `javascript:` or `data:`. */
export function safeUrl(text: string | null | undefined): string | undefined {
  if (!text || !URL.canParse(text)) return undefined;
  return /^https?:$/.test(new URL(text).protocol) ? text : undefined;
}

export function Link({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** Plain text whose web and e-mail addresses can be followed. */
export function Linked({ text }: { text: string }) {
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const found = match[0].replace(TRAILING, "");
    const href = found.includes("://") ? safeUrl(found) : `mailto:${found}`;
    if (!href) continue;
    parts.push(text.slice(end, match.index), <Link href={href}>{found}</Link>);
    end = match.index + found.length;
  }
  return (
    <>
      {parts}
      {text.slice(end)}
    </>
  );
}
