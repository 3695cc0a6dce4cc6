import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { WebSocket, WebSocketServer, type RawData } from 'ws'
import type { Gateway } from './program.ts'

/** How a client connects. */
export interface Connecting {
  readonly headers?: Readonly<Record<string, string>>
  readonly protocols?: readonly string[]
}

/** A client's open session. */
export interface ClientSession {
  readonly socket: WebSocket
  /** The headers of the upgrade. */
  readonly headers: IncomingMessage['headers']
  /** The next message as text, in order, or how the session was closed. */
  readonly next: () => Promise<string>
  /** The code and the reason. */
  readonly closed: Promise<readonly [code: number, reason: string]>
}

/** An upgrade that was answered over HTTP. */
export interface Refused {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** Connects and waits for the upgrade or for the answer in its place. */
export async function connect(
  gateway: Pick<Gateway, 'url'>,
  path: string,
  { headers = {}, protocols = [] }: Connecting = {},
): Promise<ClientSession | Refused> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, [...protocols], {
    headers,
    perMessageDeflate: false,
  })
  const mail = mailbox(socket)
  let upgraded: IncomingMessage['headers'] = {}
  socket.on('upgrade', (response) => (upgraded = response.headers))
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve({ socket, headers: upgraded, ...mail }))
    socket.on('error', reject)
    socket.on('unexpected-response', (_, response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.on('end', () => {
        socket.terminate()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
  })
}

/** The same, where a session must come of it. */
export async function open(
  gateway: Pick<Gateway, 'url'>,
  path: string,
  connecting?: Connecting,
): Promise<ClientSession> {
  const result = await connect(gateway, path, connecting)
  if ('status' in result) throw new Error(`refused with ${result.status}: ${result.text}`)
  return result
}

/** The same, where it must be refused. */
export async function refused(
  gateway: Pick<Gateway, 'url'>,
  path: string,
  connecting?: Connecting,
): Promise<Refused> {
  const result = await connect(gateway, path, connecting)
  if ('status' in result) return result
  result.socket.terminate()
  throw new Error('a session came')
}

/** A realtime server that does as each test says. */
export interface OwnUpstream {
  readonly url: string
  /** The sessions that were opened, in order, each once. */
  session(): Promise<UpstreamSession>
  stop(): Promise<void>
}

/** A session as the upstream sees it. */
export interface UpstreamSession {
  readonly socket: WebSocket
  readonly request: IncomingMessage
  readonly next: () => Promise<string>
  readonly closed: Promise<readonly [code: number, reason: string]>
}

/** Starts one; every upgrade becomes a session that says nothing of its own. */
export async function startUpstream(): Promise<OwnUpstream> {
  const server = createServer((_, response) => response.writeHead(404).end())
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 })
  const sessions: UpstreamSession[] = []
  const asked: ((session: UpstreamSession) => void)[] = []
  sockets.on('connection', (socket, request) => {
    socket.on('error', () => {})
    const session = { socket, request, ...mailbox(socket) }
    const ask = asked.shift()
    if (ask === undefined) sessions.push(session)
    else ask(session)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: urlOf(server),
    session: () => {
      const [known] = sessions.splice(0, 1)
      return known === undefined ? new Promise((resolve) => asked.push(resolve)) : Promise.resolve(known)
    },
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The address of a listening server. */
export function urlOf(server: Server): string {
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

function mailbox(socket: WebSocket): Pick<ClientSession, 'next' | 'closed'> {
  const waiting: string[] = []
  const asked: ((text: string) => void)[] = []
  const put = (text: string): void => {
    const ask = asked.shift()
    if (ask === undefined) waiting.push(text)
    else ask(text)
  }
  socket.on('message', (data, isBinary) => put(isBinary ? `binary ${textOf(data)}` : textOf(data)))
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.on('close', (code, reason) => {
      put(`closed with ${code} ${reason.toString()}`)
      resolve([code, reason.toString()])
    })
  })
  return {
    closed,
    next: () => {
      const text = waiting.shift()
      return text === undefined ? new Promise((resolve) => asked.push(resolve)) : Promise.resolve(text)
    },
  }
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : ''
}
