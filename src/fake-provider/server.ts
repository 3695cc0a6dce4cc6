import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { systemClock } from '../core/clock.ts'
import type { Clock } from '../core/clock.ts'
import { header } from './call.ts'
import { deliver } from './deliver.ts'
import { createJournal, journalText } from './journal.ts'
import type { Journal, JournalEntry } from './journal.ts'
import { createKept } from './kept.ts'
import { createOrders } from './orders.ts'
import type { Orders } from './orders.ts'
import { plan } from './plan.ts'
import type { Setting } from './plan.ts'
import { opening } from './realtime.ts'
import { createSessions } from './realtime-session.ts'
import type { Sessions } from './realtime-session.ts'
import { parseAddress, parseBody, readBody, toCall } from './received.ts'
import { openaiError } from './reply.ts'
import { createTrafficCount } from './traffic.ts'
import type { Traffic, TrafficCount } from './traffic.ts'

/** What a fake provider may be started with; all of it is optional. */
export interface FakeProviderOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Valid credentials; any other gets the provider's 401. Absent: every well-formed one is valid. */
  readonly keys?: readonly string[]
  /** Orders by model or Azure deployment, for bases without an order segment: `{ 'gpt-4o': 'e500' }`. */
  readonly models?: Readonly<Record<string, string>>
  /** How many entries the journal keeps. Default 10,000. */
  readonly journalLimit?: number
  /** False lets pass what only the real provider would refuse: unknown fields, odd names. Default true. */
  readonly strict?: boolean
  readonly clock?: Clock
}

/** A running fake provider. */
export interface FakeProvider {
  readonly port: number
  /** `http://host:port`, without a trailing slash. */
  readonly url: string
  /** What arrived, oldest first. */
  readonly journal: () => readonly JournalEntry[]
  /** Empties the journal and sets the counts back. */
  readonly clearJournal: () => void
  /**
   * From now on requests under the path segment, or for the model, `name` behave like this.
   * @throws RangeError for a word that is no order
   */
  readonly order: (name: string, behaviour: string) => void
  /** Requests in total, now and at most at once: of a segment, of a model, or of all. */
  readonly traffic: (name?: string) => Traffic
  /** Closes every connection and stops listening. */
  stop(): Promise<void>
}

interface Parts {
  readonly clock: Clock
  readonly journal: Journal
  readonly traffic: TrafficCount
  readonly orders: Orders
  readonly setting: Setting
  readonly sessions: Sessions
}

/** Some models for `GET /models` when none are named. */
const DEFAULT_MODELS = [
  'gpt-4o',
  'gpt-4o-mini',
  'gpt-5-nano',
  'text-embedding-3-small',
  'whisper-1',
  'tts-1',
  'gpt-realtime',
]

/**
 * Starts a server that speaks OpenAI's, Azure's and Cohere's API in nine modes and misbehaves on order.
 * @throws the system's error where the port cannot be listened on; RangeError for an order that is none
 */
export async function startFakeProvider(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const {
    host = '127.0.0.1',
    port = 0,
    keys,
    models = {},
    journalLimit = 10_000,
    strict = true,
    clock = systemClock,
  } = options
  const names = Object.keys(models)
  const kept = createKept(clock)
  const parts: Parts = {
    clock,
    journal: createJournal(journalLimit),
    traffic: createTrafficCount(),
    orders: createOrders(models),
    setting: {
      strict,
      judgesModels: strict,
      models: names.length > 0 ? names : DEFAULT_MODELS,
      kept,
      isIssued: (key) => kept.isIssued(key),
      ...(keys && { keys: new Set(keys) }),
    },
    sessions: createSessions(clock),
  }
  const server = http.createServer({ keepAliveTimeout: 65_000, requestTimeout: 0 }, (request, response) =>
    receive(request, response, parts),
  )
  server.on('upgrade', (request, socket, head) => {
    if (socket instanceof Socket) upgrade(request, socket, head, parts)
    else socket.destroy()
  })
  const bound = await listen(server, port, host)
  return {
    port: bound,
    url: `http://${host}:${bound}`,
    journal: () => parts.journal.entries(),
    clearJournal: () => clear(parts),
    order: (name, behaviour) => parts.orders.set(name, behaviour),
    traffic: (name) => parts.traffic.of(name),
    stop: () => stop(server, parts.sessions),
  }
}

function clear({ journal, traffic }: Parts): void {
  journal.clear()
  traffic.clear()
}

function listen(server: http.Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function stop(server: http.Server, sessions: Sessions): Promise<void> {
  return new Promise((resolve) => {
    sessions.closeAll()
    server.close(() => resolve()) // An error here says that it was closed before.
    server.closeAllConnections()
  })
}

function receive(request: IncomingMessage, response: ServerResponse, parts: Parts): void {
  const url = request.url ?? '/'
  if (url === '/__journal' || url.startsWith('/__set/')) return control(url, response, parts)
  readBody(request, (raw) => {
    if (raw === undefined) return refuseSize(response, parts.clock)
    const body = parseBody(header(request, 'content-type'), raw)
    const address = parseAddress(url, parts.orders.isOrder)
    const call = toCall(request, address, { read: body, raw, ...keysOf(parts) })
    const entry = {
      at: parts.clock.now(),
      method: call.method,
      url,
      headers: request.headers,
      body: body.shown,
    }
    parts.journal.add(entry, raw.length)
    response.once('close', parts.traffic.enter(namesOf(address.segment, call.model)))
    const { behaviour, earlier } = parts.orders.find(address.segment, call.model)
    deliver(response, plan(call, behaviour, parts.setting, earlier), parts.clock)
  })
}

function keysOf({ setting: { keys } }: Parts): { readonly keys?: ReadonlySet<string> } {
  return keys === undefined ? {} : { keys }
}

function namesOf(segment: string | undefined, model: string): readonly string[] {
  return segment === undefined ? [model] : [segment, model]
}

function refuseSize(response: ServerResponse, clock: Clock): void {
  const reply = openaiError(413, { message: 'Request body is too large.' }, { connection: 'close' })
  deliver(response, { reply, delivery: { kind: 'now' } }, clock)
}

/** `GET /__journal` returns and clears; `GET /__set/NAME/ORDER` gives an order. */
function control(url: string, response: ServerResponse, parts: Parts): void {
  if (url === '/__journal') {
    const text = journalText(parts.journal.entries())
    clear(parts)
    response.writeHead(200, { 'content-type': 'application/json' }).end(text)
    return
  }
  const [, , name = '', word = ''] = url.split('/')
  try {
    parts.orders.set(decodeURIComponent(name), word)
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof URIError)) throw error
    response.writeHead(400, { 'content-type': 'text/plain' }).end(error.message)
  }
}

function upgrade(request: IncomingMessage, socket: Socket, head: Buffer, parts: Parts): void {
  const url = request.url ?? '/'
  const address = parseAddress(url, parts.orders.isOrder)
  const call = toCall(request, address, { read: { shown: null }, raw: Buffer.alloc(0), ...keysOf(parts) })
  const log = (method: string, body: JournalEntry['body'], bytes: number): void => {
    const headers = method === 'WS' ? request.headers : {}
    parts.journal.add({ at: parts.clock.now(), method, url, headers, body }, bytes)
  }
  log('WS', null, 0)
  socket.once('close', parts.traffic.enter(namesOf(address.segment, call.model)))
  socket.on('error', () => {}) // A client that breaks off: `close` follows and ends the count.
  parts.sessions.hold(socket)
  const { behaviour, earlier } = parts.orders.find(address.segment, call.model)
  const start = opening(call, behaviour, parts.setting, earlier)
  if (start.kind === 'upgrade') {
    return parts.sessions.open(request, socket, head, start.steps, (text) => log('WSMSG', text, text.length))
  }
  const response = new http.ServerResponse(request)
  response.assignSocket(socket)
  response.once('finish', () => socket.end())
  response.setHeader('connection', 'close')
  deliver(response, start.plan, parts.clock)
}
