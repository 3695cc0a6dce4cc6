import { connect, type Socket } from 'node:net'
import { chatRequest, STREAM_EVENTS } from './messages.ts'
import { isOrder, type Order, type Seen } from './order.ts'

const HEAD_END = Buffer.from('\r\n\r\n')
const BODY_END = Buffer.from('0\r\n\r\n')
const LAST_EVENT = Buffer.from('[DONE]')
/** Streams begin this far apart in sum, so that their events do not come in step. */
const SPREAD_MS = 400
/** Connections are open before the first planned moment. */
const SETTLE_MS = 50
/** How much longer than asked for a stalled contestant may take before its connections count as failures. */
const PATIENCE_MS = 10_000

/** Asks again on each connection as soon as the answer is whole, until the time is over. */
function closedLoop(order: Order): Promise<Seen> {
  const request = chatRequest(order.kind, order.port)
  const took: number[] = []
  const begun = performance.now()
  const until = begun + order.durationMs
  let failures = 0
  const one = (socket: Socket, done: () => void): void => {
    let sent = 0
    const ask = (): void => {
      sent = performance.now()
      socket.write(request)
    }
    socket.on('connect', ask)
    eachAnswer(socket, (isGood) => {
      if (!isGood) failures++
      const now = performance.now()
      took.push((now - sent) * 1000)
      if (now < until) ask()
      else done()
    })
  }
  return eachConnection(order, 0, one, () => failures++).then(() => seenOf(took, failures, begun))
}

/**
 * Begins a request at each planned moment, on whatever connection is free. One that finds none waits, and its time
 * runs: a contestant that stalls cannot hide it by being asked less.
 */
function openLoop(order: Order, perSecond: number): Promise<Seen> {
  const request = chatRequest(order.kind, order.port)
  const took: number[] = []
  const planned = Math.floor((order.durationMs * perSecond) / 1000)
  const begun = performance.now()
  const free: (() => void)[] = []
  const ends: (() => void)[] = []
  let next = 0
  let answered = 0
  let failures = 0
  const momentOf = (index: number): number => begun + SETTLE_MS + (index * 1000) / perSecond
  const isDue = (): boolean => next < planned && momentOf(next) <= performance.now()
  const begin = (): void => {
    while (isDue()) {
      const ask = free.pop()
      if (ask === undefined) break
      ask()
    }
    if (next < planned) setTimeout(begin, 1)
  }
  const one = (socket: Socket, done: () => void): void => {
    let moment = 0
    const ask = (): void => {
      moment = momentOf(next)
      next++
      socket.write(request)
    }
    ends.push(done)
    socket.on('connect', () => free.push(ask))
    eachAnswer(socket, (isGood) => {
      if (!isGood) failures++
      took.push((performance.now() - moment) * 1000)
      answered++
      free.push(ask)
      if (answered === planned) ends.forEach((end) => end())
      // Whoever waits has waited long enough: not until the next tick of a timer.
      else if (isDue()) free.pop()?.()
    })
  }
  setTimeout(begin, SETTLE_MS)
  return eachConnection(order, 0, one, () => failures++).then(() =>
    seenOf(took, failures + planned - answered, begun),
  )
}

/** Calls back at the end of each answer. */
function eachAnswer(socket: Socket, ended: (isGood: boolean) => void): void {
  let held: Buffer = Buffer.alloc(0)
  let missing = 0
  let isGood = false
  socket.on('data', (chunk: Buffer) => {
    if (missing > 0) missing -= chunk.length
    else {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const headEnd = held.indexOf(HEAD_END)
      if (headEnd === -1) return
      const head = held.toString('latin1', 0, headEnd)
      isGood = head.startsWith('HTTP/1.1 200')
      missing = headEnd + HEAD_END.length + lengthOf(head) - held.length
      held = Buffer.alloc(0)
    }
    if (missing <= 0) ended(isGood)
  })
}

function seenOf(tookUs: number[], failures: number, begun: number): Seen {
  tookUs.sort((a, b) => a - b)
  const at = (share: number): number => tookUs[Math.floor(tookUs.length * share)] ?? 0
  const wallMs = performance.now() - begun
  return { units: tookUs.length, failures, wallMs, p50Us: at(0.5), p99Us: at(0.99) }
}

/** One stream on each connection; a stream that does not end as it should is a failure. */
function streams(order: Order): Promise<Seen> {
  const request = chatRequest(order.kind, order.port)
  const begun = performance.now()
  let whole = 0
  let failures = 0
  const one = (socket: Socket, done: () => void): void => {
    let tail: Buffer = Buffer.alloc(0)
    let hasLast = false
    socket.on('connect', () => socket.write(request))
    socket.on('data', (chunk: Buffer) => {
      tail = Buffer.concat([tail.subarray(-16), chunk])
      hasLast ||= tail.includes(LAST_EVENT)
      if (!tail.subarray(-BODY_END.length).equals(BODY_END)) return
      if (hasLast) whole++
      else failures++
      done()
    })
  }
  return eachConnection(order, SPREAD_MS / order.connections, one, () => failures++).then(() => {
    const wallMs = performance.now() - begun
    return { units: whole * STREAM_EVENTS, failures, wallMs, p50Us: 0, p99Us: 0 }
  })
}

/** Opens the connections, `apartMs` after each other, and resolves when the last one is done or broke. */
async function eachConnection(
  { port, connections, durationMs }: Order,
  apartMs: number,
  use: (socket: Socket, done: () => void) => void,
  broke: () => void,
): Promise<void> {
  const all = Array.from({ length: connections }, async (_, index) => {
    if (apartMs > 0) await new Promise((resolve) => setTimeout(resolve, index * apartMs))
    await new Promise<void>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      const finish = (isGood: boolean): void => {
        if (!isGood) broke()
        clearTimeout(timer)
        socket.removeAllListeners('close')
        socket.destroy()
        resolve()
      }
      const timer = setTimeout(() => finish(false), durationMs + PATIENCE_MS)
      socket.on('error', () => {})
      socket.on('close', () => finish(false))
      use(socket, () => finish(true))
    })
  })
  await Promise.all(all)
}

/** An answer without a length would never be counted: better to stop than to measure nonsense. */
function lengthOf(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer without content-length:\n${head}`)
  return Number(length)
}

/** Run as a process: an order in, what was seen out. */
process.on('message', (message) => {
  if (!isOrder(message)) return
  const { kind, perSecond } = message
  const seen =
    kind === 'stream'
      ? streams(message)
      : perSecond === undefined
        ? closedLoop(message)
        : openLoop(message, perSecond)
  void seen.then((figures) => process.send?.(figures))
})
process.on('disconnect', () => process.exit(0))
