import http from 'node:http'
import type { Cancel, Clock } from '../core/clock.ts'

/** Requests that the demo sends to itself, so that there is traffic to protect. */
export interface DemoTraffic {
  readonly numbers: () => DemoNumbers
  stop(): void
}

/** What has become of them so far. */
export interface DemoNumbers {
  readonly answered: number
  readonly failed: number
  /** What was wrong with the last that failed. */
  readonly lastFailure: string | undefined
}

/** Whom the requests go to. */
export interface DemoTrafficSettings {
  /** The gateway's address, and a key for it. */
  readonly url: string
  readonly key: string
  /** Asked in turn. */
  readonly models: readonly string[]
  /** From one request to the next. */
  readonly everyMs: number
}

/** Longer than the gateway takes for its retries; then it counts as failed. */
const TIMEOUT_MS = 30_000
/** So many at once, so that a hang of everything does not pile up. */
const MOST_AT_ONCE = 32

/** Starts sending chat requests through the gateway, one at a time and at a steady pace, until it is stopped. */
export function startDemoTraffic(settings: DemoTrafficSettings, clock: Pick<Clock, 'after'>): DemoTraffic {
  const agent = new http.Agent({ keepAlive: true, maxSockets: MOST_AT_ONCE })
  let answered = 0
  let failed = 0
  let lastFailure: string | undefined
  let sent = 0
  let running = 0
  let isStopped = false
  const finish = (failure: string | undefined): void => {
    running -= 1
    if (isStopped) return
    if (failure === undefined) answered += 1
    else {
      failed += 1
      lastFailure = failure
    }
  }
  const send = (): void => {
    cancel = clock.after(settings.everyMs, send)
    if (running >= MOST_AT_ONCE) return
    const model = settings.models[sent % settings.models.length] ?? ''
    sent += 1
    running += 1
    ask(settings, model, agent).then(finish, (error: unknown) => finish(String(error)))
  }
  let cancel: Cancel = clock.after(settings.everyMs, send)
  return {
    numbers: () => ({ answered, failed, lastFailure }),
    stop: () => {
      isStopped = true
      cancel()
      agent.destroy()
    },
  }
}

/** One chat request; resolves with what was wrong with the answer. */
function ask(
  { url, key }: DemoTrafficSettings,
  model: string,
  agent: http.Agent,
): Promise<string | undefined> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'ping' }] })
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'pulsegate-demo-traffic',
  }
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers, agent, timeout: TIMEOUT_MS }
    const request = http.request(`${url}/v1/chat/completions`, options, (response) => {
      response.on('error', reject)
      response.on('end', () =>
        resolve(response.statusCode === 200 ? undefined : `HTTP ${response.statusCode}`),
      )
      response.resume()
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)))
    request.on('error', reject)
    request.end(body)
  })
}
