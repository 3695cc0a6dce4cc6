import assert from 'node:assert/strict'
import http from 'node:http'
import { createServer } from 'node:net'
import { createApp } from '../../src/app.ts'
import { readConfigText } from '../../src/read-config.ts'
import { systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'

/** How a fault is met. */
export interface Cell {
  /** The group's name, and what the sick deployment's model at the fake ends with. */
  readonly name: string
  /** An order word of the fake, or a whole base. */
  readonly fault: string
  readonly isStream: boolean
  /** A second deployment that lives stands behind the sick one. */
  readonly hasLive: boolean
  /** The sick one is given up for silence or slowness, not for its answer. */
  readonly isWaitedOut: boolean
}

/** What a client got. */
export interface Got {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  /** `end`: the answer was whole; `torn`: the connection broke; `left`: more came than anybody wants. */
  readonly end: 'end' | 'torn' | 'left'
  readonly tookMs: number
}

/** What every deployment sends upstream; no client may ever see it. */
export const UPSTREAM_KEY = 'sk-of-the-upstream'
/** What a client reads before it leaves an answer without an end. */
const ENOUGH_BYTES = 6 * 1024 * 1024
const DEADLINE_MS = 10_000
/** Seconds: of what is waited out three times, and of all else however busy the machine is. */
const TIMEOUTS = { short: 0.8, long: 8 } as const

/** The model at the fake, by which its requests are counted. */
export const modelOf = (cell: Cell, who: 'sick' | 'live'): string => `gpt-4o-${cell.name}-${who}`

function listed(fake: FakeProvider, cell: Cell, who: 'sick' | 'live'): object {
  const timeout = cell.isWaitedOut && who === 'sick' ? TIMEOUTS.short : TIMEOUTS.long
  const order = who === 'live' ? 'ok' : cell.fault
  return {
    model_name: cell.name,
    litellm_params: {
      model: `openai/${modelOf(cell, who)}`,
      api_base: order.includes('://') ? order : `${fake.url}/${order}/v1`,
      api_key: UPSTREAM_KEY,
      timeout,
      stream_timeout: timeout,
      // Nobody is chosen by chance: the sick one is always asked first.
      order: who === 'sick' ? 1 : 2,
    },
    model_info: { id: `${cell.name}-${who}` },
  }
}

/** A gateway in this process, so that what it leaves behind can be counted. */
export async function withGateway(
  fake: FakeProvider,
  cells: readonly Cell[],
  use: (url: string) => Promise<void>,
): Promise<void> {
  const models = cells.flatMap((cell) =>
    (cell.hasLive ? (['sick', 'live'] as const) : (['sick'] as const)).map((who) => listed(fake, cell, who)),
  )
  const settings = {
    general_settings: { drain_delay: 0 },
    router_settings: { num_retries: 2, disable_cooldowns: true },
  }
  const yaml = JSON.stringify({ model_list: models, ...settings })
  const { config, problems } = await readConfigText('config.yaml', yaml)
  assert.ok(config !== undefined, JSON.stringify(problems))
  const app = await createApp(config, {
    log: silentLog,
    clock: systemClock,
    // No wait before the same deployment is asked again.
    random: () => 0,
    version: '1.2.3',
    host: '127.0.0.1',
    port: 0,
  })
  try {
    await use((await app.start()).url)
  } finally {
    await app.stop()
  }
}

/** Sends a chat and reads what comes, to its end or until there is enough of it. */
export function chat(url: string, cell: Pick<Cell, 'name' | 'isStream'>): Promise<Got> {
  const startedAt = performance.now()
  const body = JSON.stringify({
    model: cell.name,
    messages: [{ role: 'user', content: 'ping' }],
    // With usage asked for, half of a stream holds a word of it.
    ...(cell.isStream && { stream: true, stream_options: { include_usage: true } }),
  })
  return new Promise((resolve, reject) => {
    const request = http.request(`${url}/v1/chat/completions`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json' },
    })
    const deadline = setTimeout(() => request.destroy(new Error(`${cell.name} hangs`)), DEADLINE_MS)
    request.on('error', reject)
    request.on('close', () => clearTimeout(deadline))
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const settle = (end: Got['end']): void =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
          end,
          tookMs: performance.now() - startedAt,
        })
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes < ENOUGH_BYTES) return
        settle('left')
        request.destroy()
      })
      response.on('end', () => settle('end'))
      response.on('error', () => settle('torn'))
    })
    request.end(body)
  })
}

/** A port of which nobody listens. */
export function deadPort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}
