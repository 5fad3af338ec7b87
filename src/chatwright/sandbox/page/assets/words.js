// What differs from provider to provider, as far as a phone shows it.

const HEARTS = ["❤️", "👍", "😂", "😮", "😢", "🔥"];

export const PROVIDERS = {
  whatsapp: {
    name: "WhatsApp",
    emoji: HEARTS,
    own: ["edit", "unsend"],
    deeds: ["block", "unblock"],
    attach: ["file", "location", "contact"],
  },
  messenger: {
    name: "Messenger",
    emoji: HEARTS,
    own: ["edit", "unsend"],
    deeds: ["follow", "comment", "block", "unblock"],
    attach: ["file"],
  },
  instagram: {
    name: "Instagram",
    emoji: HEARTS,
    own: ["edit", "unsend"],
    deeds: ["follow", "comment", "block", "unblock"],
    attach: ["file"],
  },
  telegram: {
    name: "Telegram",
    emoji: ["❤", "👍", "👎", "🔥", "🎉", "😢"],
    own: ["edit", "unsend"],
    deeds: ["follow", "block", "unblock"],
    attach: ["file", "location", "contact"],
  },
  zalo: {
    name: "Zalo",
    emoji: ["❤", "👍", "😃", "😮", "😭", "😡"],
    own: [],
    deeds: ["follow", "unfollow", "block", "unblock"],
    attach: ["file", "location", "contact"],
  },
};

export const providerOf = (kind) =>
  PROVIDERS[kind] ?? { name: kind, emoji: HEARTS, own: [], deeds: [], attach: ["file"] };

export const DEEDS = {
  follow: { label: "Start or follow", ask: "ref", hint: "Link reference (optional)" },
  unfollow: { label: "Unfollow" },
  block: { label: "Block" },
  unblock: { label: "Unblock" },
  comment: { label: "Comment on a post", ask: "text", hint: "Comment", required: true },
};

export const TICKS = {
  sent: ["✓", "Sent"],
  delivered: ["✓✓", "Delivered"],
  read: ["✓✓", "Read"],
  failed: ["!", "Failed"],
};

export const BASES = {
  whatsapp: "/graph",
  messenger: "/graph",
  instagram: "/graph",
  telegram: "/telegram",
  zalo: "/zalo",
};

// The kind of a file, by its media type.
export function mediaKind(file) {
  const [type] = file.type.split("/");
  return ["image", "video", "audio"].includes(type) ? type : "document";
}

// "status_delay" as people read it.
export const spoken = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
