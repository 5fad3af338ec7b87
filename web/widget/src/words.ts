const ENGLISH = {
  open: "Open chat",
  close: "Close chat",
  unread: "unread",
  placeholder: "Write a message…",
  send: "Send",
  sending: "Sending…",
  sent: "Sent",
  seen: "Seen",
  failed: "Not sent.",
  retry: "Try again",
  discard: "Discard",
  reconnecting: "Reconnecting…",
  unwelcome: "The chat is not available right now.",
  typing: "is typing",
  unsupported: "This message cannot be shown here.",
  you: "You",
};

export type Words = typeof ENGLISH;

const LANGUAGES: Record<string, Words> = {
  en: ENGLISH,
  ar: {
    open: "فتح المحادثة",
    close: "إغلاق المحادثة",
    unread: "غير مقروءة",
    placeholder: "اكتب رسالة…",
    send: "إرسال",
    sending: "جارٍ الإرسال…",
    sent: "تم الإرسال",
    seen: "تمت القراءة",
    failed: "لم تُرسل.",
    retry: "إعادة المحاولة",
    discard: "تجاهل",
    reconnecting: "جارٍ إعادة الاتصال…",
    unwelcome: "المحادثة غير متاحة حاليًا.",
    typing: "يكتب الآن",
    unsupported: "لا يمكن عرض هذه الرسالة هنا.",
    you: "أنت",
  },
  de: {
    open: "Chat öffnen",
    close: "Chat schließen",
    unread: "ungelesen",
    placeholder: "Nachricht schreiben…",
    send: "Senden",
    sending: "Wird gesendet…",
    sent: "Gesendet",
    seen: "Gelesen",
    failed: "Nicht gesendet.",
    retry: "Erneut versuchen",
    discard: "Verwerfen",
    reconnecting: "Verbindung wird hergestellt…",
    unwelcome: "Der Chat ist gerade nicht verfügbar.",
    typing: "schreibt",
    unsupported: "Diese Nachricht kann hier nicht angezeigt werden.",
    you: "Sie",
  },
  es: {
    open: "Abrir el chat",
    close: "Cerrar el chat",
    unread: "sin leer",
    placeholder: "Escribe un mensaje…",
    send: "Enviar",
    sending: "Enviando…",
    sent: "Enviado",
    seen: "Leído",
    failed: "No enviado.",
    retry: "Reintentar",
    discard: "Descartar",
    reconnecting: "Reconectando…",
    unwelcome: "El chat no está disponible ahora.",
    typing: "está escribiendo",
    unsupported: "Este mensaje no se puede mostrar aquí.",
    you: "Tú",
  },
  fr: {
    open: "Ouvrir la discussion",
    close: "Fermer la discussion",
    unread: "non lus",
    placeholder: "Écrire un message…",
    send: "Envoyer",
    sending: "Envoi…",
    sent: "Envoyé",
    seen: "Lu",
    failed: "Non envoyé.",
    retry: "Réessayer",
    discard: "Supprimer",
    reconnecting: "Reconnexion…",
    unwelcome: "La discussion n’est pas disponible pour le moment.",
    typing: "est en train d’écrire",
    unsupported: "Ce message ne peut pas être affiché ici.",
    you: "Vous",
  },
  vi: {
    open: "Mở trò chuyện",
    close: "Đóng trò chuyện",
    unread: "chưa đọc",
    placeholder: "Nhập tin nhắn…",
    send: "Gửi",
    sending: "Đang gửi…",
    sent: "Đã gửi",
    seen: "Đã xem",
    failed: "Chưa gửi được.",
    retry: "Thử lại",
    discard: "Bỏ",
    reconnecting: "Đang kết nối lại…",
    unwelcome: "Trò chuyện hiện không khả dụng.",
    typing: "đang nhập",
    unsupported: "Không thể hiển thị tin nhắn này ở đây.",
    you: "Bạn",
  },
};

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

export interface Language {
  words: Words;
  tag: string;
  direction: "ltr" | "rtl";
}

/** The page's language if it is spoken here, else English; the direction follows the words. */
export function languageOf(tag: string): Language {
  const name = tag.toLowerCase().split("-")[0] ?? "en";
  const words = LANGUAGES[name];
  if (!words) return { words: ENGLISH, tag: "en", direction: "ltr" };
  // English speakers of India and of the United States write the time differently.
  const region = navigator.language.startsWith(name) ? navigator.language : name;
  return { words, tag: region, direction: RIGHT_TO_LEFT.has(name) ? "rtl" : "ltr" };
}
