/** One server-sent event. EventSource is not used: it would put the token into the URL. */
export interface ServerEvent {
  event: string;
  data: string;
}

/** Parse a `text/event-stream` body; comments are dropped. */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onBytes: () => void,
): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop() ?? "";
      yield* blocks.map(parseBlock).filter((event) => event.data !== "");
    }
  } finally {
    // Leaving early must close the connection, not only stop reading from it.
    reader.cancel().catch(() => undefined);
  }
}

function parseBlock(block: string): ServerEvent {
  const event = { event: "message", data: "" };
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event.event = line.slice(6).trim();
    if (line.startsWith("data:")) event.data += line.slice(5).trim();
  }
  return event;
}
