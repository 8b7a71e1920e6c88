/** Server-sent events (WHATWG HTML, 9.2), read from pieces of text. */

/** An event. */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

/** Reads events as text comes in, cut anywhere. */
export class EventReader {
  /** Id of the last event that came whole, for `Last-Event-ID`. */
  lastId = "";
  /** Milliseconds after which a stream that has ended is asked for again; null: the stream has not said. */
  retryMs: number | null = null;
  #rest = "";
  #id = "";
  #name = "";
  #data: string[] = [];

  /** The events that `text` completes. */
  *read(text: string): Generator<ServerEvent> {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.#line(line);
      if (event) yield event;
    }
  }

  /** Forget what a stream that broke has left undone. */
  restart(): void {
    this.#rest = "";
    this.#id = this.lastId;
    this.#name = "";
    this.#data = [];
  }

  #line(line: string): ServerEvent | null {
    if (line === "") return this.#event();
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #event(): ServerEvent | null {
    // Not before: an event that breaks off is asked for again.
    this.lastId = this.#id;
    const event = this.#data.length ? { name: this.#name || "message", data: this.#data.join("\n") } : null;
    this.#name = "";
    this.#data = [];
    return event;
  }
}
