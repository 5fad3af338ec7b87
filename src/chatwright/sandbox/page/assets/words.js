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

// What an inbox of the product is set up with, for an account of the sandbox at this address.
const SETTINGS = {
  whatsapp: (account, url) => ({
    phone_number_id: account.id,
    waba_id: account.details.waba_id,
    access_token: account.secrets.access_token,
    app_secrets: [account.secrets.app_secret],
    base_url: `${url}/graph`,
  }),
  messenger: (account, url) => ({
    page_id: account.id,
    access_token: account.secrets.access_token,
    app_secrets: [account.secrets.app_secret],
    app_id: account.details.app_id,
    comments: true,
    base_url: `${url}/graph`,
  }),
  instagram: (account, url) => ({
    login: account.details.login,
    account_id: account.id,
    access_token: account.secrets.access_token,
    app_secrets: [account.secrets.app_secret],
    app_id: account.details.app_id,
    base_url: `${url}/graph`,
  }),
  telegram: (account, url) => ({ bot_token: account.secrets.token, base_url: `${url}/telegram` }),
  zalo: (account, url) => ({
    app_id: account.secrets.app_id,
    oa_id: account.id,
    app_secret: account.secrets.app_secret,
    oa_secret_key: account.secrets.oa_secret,
    access_token: account.secrets.access_token,
    refresh_token: account.secrets.refresh_token,
    oauth_url: `${url}/zalo`,
    api_url: `${url}/zalo`,
    business_url: `${url}/zalo`,
  }),
};

// The command that connects an account to the product, ready for a shell.
export function connectCommand(account) {
  const settings = JSON.stringify(SETTINGS[account.kind]?.(account, location.origin) ?? {});
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const words = ["--channel", account.kind, "--name", quoted(account.name), "--settings", quoted(settings)];
  return `chatwright inboxes connect ${words.join(" ")}`;
}
