import { isJsonObject, type JsonObject } from '../../src/core/json.ts'

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string
  readonly id: string
  readonly data: JsonObject
}

/** A reader of `GET /health/events`. */
export interface EventReader {
  readonly response: Response
  /** The events so far. */
  readonly events: readonly ServerEvent[]
  /** All that came, as text. */
  text(): string
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>
  close(): void
}

/** Follows the events of a gateway until it is closed. */
export async function readEvents(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<EventReader> {
  const closing = new AbortController()
  const response = await fetch(`${url}/health/events`, { headers, signal: closing.signal })
  const events: ServerEvent[] = []
  const state = { text: '', done: 0 }
  const take = (): void => {
    for (
      let end = state.text.indexOf('\n\n', state.done);
      end !== -1;
      end = state.text.indexOf('\n\n', state.done)
    ) {
      const fields = new Map(
        state.text
          .slice(state.done, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      state.done = end + 2
      const data: unknown = JSON.parse(fields.get('data') ?? 'null')
      if (isJsonObject(data))
        events.push({ event: fields.get('event') ?? '', id: fields.get('id') ?? '', data })
    }
  }
  const follow = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const part of response.body ?? []) {
      state.text += decoder.decode(part, { stream: true })
      take()
    }
  }
  // Whoever closes it wants no more of it.
  const ended = follow().catch(() => undefined)
  return { response, events, ended, text: () => state.text, close: () => closing.abort() }
}
