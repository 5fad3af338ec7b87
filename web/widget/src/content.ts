/** What a message can say, as far as this page shows it; the server may know kinds that are newer than this. */

export interface Choice {
  label: string;
  payload?: string | null;
  url?: string | null;
}

export interface Row {
  title: string;
  description?: string | null;
  payload?: string | null;
}

export interface Card {
  title: string;
  subtitle?: string | null;
  image_url?: string | null;
  buttons: Choice[];
}

export type Content =
  | { type: "text"; text: string }
  | { type: "reply"; text: string; payload: string }
  | {
      type: "media";
      kind: "image" | "video" | "audio" | "voice" | "sticker" | "file";
      url?: string | null;
      caption?: string | null;
      filename?: string | null;
    }
  | { type: "location"; latitude: number; longitude: number; name?: string | null; address?: string | null }
  | { type: "contact_card"; name: string; phones: string[]; emails: string[] }
  | { type: "buttons"; text: string; buttons: Choice[] }
  | { type: "quick_replies"; text: string; replies: Choice[] }
  | { type: "list"; text: string; button: string; sections: { title?: string | null; rows: Row[] }[] }
  | { type: "carousel"; cards: Card[] };

export interface Message {
  id: string;
  /** Grows within the conversation; notes among the other side leave gaps. */
  position: number;
  direction: "in" | "out";
  author: string | null;
  content: Content;
  /** Of the visitor's own messages: the id that this or another tab gave it. */
  client_id: string | null;
  /** ISO 8601. */
  at: string;
}

export interface Profile {
  name: string;
  greeting: string;
  color: string;
}
