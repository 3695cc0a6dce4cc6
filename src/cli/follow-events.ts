import { request, type IncomingMessage } from 'node:http'
import { isJsonObject } from '../core/json.ts'
import type { JsonObject } from '../core/json.ts'
import { AskError, askSentence } from './ask.ts'
import { refusedKey, type GatewayThere } from './gateway-there.ts'
import { oneLine } from './terminal.ts'

/** A server-sent event of a gateway. */
export interface GatewayEvent {
  readonly name: string
  readonly data: JsonObject
}

/** How events are followed. */
export interface Following {
  /** The last event that was seen; undefined: none. */
  readonly lastId: string | undefined
  readonly signal: AbortSignal
  readonly onEvent: (event: GatewayEvent, id: string) => void
}

/** To the head of the answer. */
const CONNECT_MS = 10_000
/** A heartbeat comes every 15 s: who is silent for three of them is gone. */
const SILENCE_MS = 45_000
/** A snapshot of ten thousand deployments is 3 MB. */
const MOST_EVENT_CHARS = 64 * 1024 * 1024

/**
 * Reads `GET /health/events` until the connection ends; resolves then, and when `signal` aborts.
 * @throws AskError where no gateway answers
 */
export function followEvents(gateway: GatewayThere, following: Following): Promise<void> {
  const { url, key } = gateway
  const path = `${url}/health/events`
  const { lastId, signal } = following
  const headers = {
    accept: 'text/event-stream',
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(lastId !== undefined && { 'last-event-id': lastId }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(path, { headers, signal, agent: false }, (answer) => {
      const { statusCode = 0 } = answer
      if (statusCode !== 200) {
        answer.resume()
        sent.destroy()
        reject(new AskError(statusCode === 401 ? refusedKey(path, key) : oddAnswer(path, answer)))
        return
      }
      sent.setTimeout(SILENCE_MS, () => sent.destroy())
      answer.setEncoding('utf8').on(
        'data',
        createReader(following.onEvent, () => sent.destroy()),
      )
      answer.on('close', resolve)
      answer.on('error', () => resolve())
    })
    sent.setTimeout(CONNECT_MS, () => sent.destroy(new Error(`no answer within ${CONNECT_MS / 1000} s`)))
    sent.on('error', (error) => {
      if (signal.aborted) resolve()
      else reject(new AskError(askSentence(path, error, CONNECT_MS), { cause: error }))
    })
    sent.end()
  })
}

function oddAnswer(path: string, { statusCode = 0, statusMessage = '' }: IncomingMessage): string {
  const hint = statusCode === 404 ? ': what runs there is older, or no pulsegate' : ''
  return oneLine(`${path} answered ${statusCode} ${statusMessage}${hint}`)
}

/** Splits a stream into events; what is no event of ours is passed by (WHATWG HTML, server-sent events). */
function createReader(onEvent: Following['onEvent'], giveUp: () => void): (part: string) => void {
  let text = ''
  return (part) => {
    text += part
    if (text.length > MOST_EVENT_CHARS) giveUp()
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      text = text.slice(end + 2)
      const data = parse(fields.get('data'))
      if (isJsonObject(data)) onEvent({ name: fields.get('event') ?? '', data }, fields.get('id') ?? '')
    }
  }
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    // Not ours: passed by.
    return undefined
  }
}
