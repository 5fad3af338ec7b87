import type { ComponentChildren } from "preact";

/** Drawings for buttons, which have names of their own. */
function Icon({ children, mirrored }: { children: ComponentChildren; mirrored?: boolean }) {
  return (
    <svg class={mirrored ? "mirrored" : ""} viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      {children}
    </svg>
  );
}

export function ChatIcon() {
  return (
    <Icon>
      <path d="M21 11.5a8.4 8.4 0 0 1-12.3 7.4L3 21l2.1-5.7A8.4 8.4 0 1 1 21 11.5Z" />
    </Icon>
  );
}

export function CloseIcon() {
  return (
    <Icon>
      <path d="M18 6 6 18M6 6l12 12" />
    </Icon>
  );
}

export function SendIcon() {
  return (
    <Icon mirrored>
      <path d="M5 12h13M12 5l7 7-7 7" />
    </Icon>
  );
}
