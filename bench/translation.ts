/**
 * What it costs to speak a provider's own words: chat of 600 B and of 100 KB, and an event of a stream, over what passing
 * on costs for a provider that speaks OpenAI's. Run with `npm run bench:translation`; the first argument may name a provider.
 * In this process, without sockets: the body comes in as bytes, what would be sent is made and authorized, the double's
 * answer is read and written down as the client's bytes.
 */
import { performance } from 'node:perf_hooks'
import type { IncomingHttpHeaders } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/core/clock.ts'
import type { Deployment } from '../src/core/deployment.ts'
import { scanObject } from '../src/core/json-spans.ts'
import { isJsonObject } from '../src/core/json.ts'
import type { NativeCall } from '../src/fake-provider/natives/native.ts'
import { nativeOf } from '../src/fake-provider/natives/natives.ts'
import { openLine, relay, type Line } from '../src/providers/call.ts'
import { loadAdaptersOf } from '../src/providers/registry.ts'
import { readConfig } from '../src/read-config.ts'
import { OPERATIONS } from '../src/routing/request/operations.ts'
import { translate } from '../src/routing/translate/translate.ts'
import type { StreamSink, Transport, WireRequest } from '../src/transport/wire.ts'
import { nativeDeployments, tokenHosts } from '../test/e2e/all-providers.ts'

const SMALL_BYTES = 600
const LARGE_BYTES = 100 * 1024
const ROUNDS = 9
const TARGETS = { smallUs: 60, largeUs: 900, aimLargeUs: 600 }
/** Times in a round; enough for a round to take some tens of milliseconds. */
const TIMES = { small: 2000, large: 200, stream: 300, long: 100 }
const MORE_EVENTS = 100
const LIMITS = { timeoutMs: 60_000, maxBytes: 2 ** 31 }

/** Nobody listens there: nothing is sent. */
const HERE = 'http://127.0.0.1:9'

/** What the double answers, without the network between. */
interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly chunks: readonly Buffer[]
}

const OPENAI: Answer = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  chunks: [
    Buffer.from(
      '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"pong"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}',
    ),
  ],
}

const COHERE_CHAT =
  '{"id":"c1","message":{"role":"assistant","content":[{"type":"text","text":"pong"}]},"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":5,"output_tokens":1}}}'
const COHERE_EVENTS = [
  '{"id":"c1","type":"message-start","delta":{"message":{"role":"assistant","content":[]}}}',
  '{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}',
  '{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"pong"}}}}',
  '{"type":"content-end","index":0}',
  '{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":5,"output_tokens":1}}}}',
]

/** Cohere is the fake provider itself, which has no double. */
function cohereAnswer({ body }: WireRequest): Answer {
  const isStream = String(body).includes('"stream":true')
  const texts = isStream ? COHERE_EVENTS.map((text) => `data: ${text}\n\n`) : [COHERE_CHAT]
  const type = isStream ? 'text/event-stream' : 'application/json'
  return { status: 200, headers: { 'content-type': type }, chunks: texts.map((text) => Buffer.from(text)) }
}

function answerOf(wire: WireRequest): Answer {
  const url = new URL(wire.url)
  const found = nativeOf(url.pathname)
  if (found === undefined) return url.pathname.endsWith('/v2/chat') ? cohereAnswer(wire) : OPENAI
  const body = Buffer.from(wire.body ?? '')
  const headers: IncomingHttpHeaders = { ...wire.headers, host: url.host }
  const json: unknown =
    wire.headers['content-type'] === 'application/json' ? JSON.parse(body.toString()) : undefined
  const { method } = wire
  const call: NativeCall = {
    method,
    url: url.pathname + url.search,
    path: found.path,
    query: url.searchParams,
    headers,
    body,
    ...(isJsonObject(json) && { json }),
  }
  const { status, headers: own, chunks } = found.native.answer(call)
  const text = chunks.map((chunk) => chunk.toString()).join('')
  if (status < 200 || status > 299) throw new Error(`${wire.url}: ${status} ${text.slice(0, 300)}`)
  return { status, headers: own, chunks: chunks.map((chunk) => Buffer.from(chunk)) }
}

/** A piece of the answer's text, in anybody's words. */
const PIECE = /"(?:text|content|response)":\s*"[^"]*(?:po|ng)/

/** The same stream with one piece of its text a hundred times more. */
function lengthened(answer: Answer): Answer {
  const at = answer.chunks.findIndex((chunk) => PIECE.test(chunk.toString('latin1')))
  const piece = answer.chunks[at]
  if (piece === undefined || answer.chunks.length < 2) return answer
  const more = Array.from({ length: MORE_EVENTS }, () => piece)
  return { ...answer, chunks: answer.chunks.toSpliced(at, 0, ...more) }
}

/** Answers at once, each request of a kind with the answer that its first one got. */
function transportOf(known: Map<string, Answer>, kind: () => string): Transport {
  const never = (): never => {
    throw new Error('nothing of this is asked for here')
  }
  const answer = (wire: WireRequest): Answer => {
    const key = `${kind()} ${wire.url}`
    const before = known.get(key) ?? (kind().endsWith('long') ? lengthened(answerOf(wire)) : answerOf(wire))
    known.set(key, before)
    return before
  }
  return {
    send: (wire) => {
      const { status, headers, chunks } = answer(wire)
      return Promise.resolve({ status, headers, body: Buffer.concat(chunks) })
    },
    stream: (wire, _, sink) => {
      const { status, headers, chunks } = answer(wire)
      sink.head(status, headers)
      for (const chunk of chunks) sink.data(chunk)
      sink.end()
      return { resume: () => {}, cancel: () => {} }
    },
    dial: never,
    openSocket: never,
    reach: never,
    close: () => Promise.resolve(),
  }
}

function bodyOf(bytes: number, stream: boolean): Buffer {
  const frame = (content: string): string =>
    JSON.stringify({
      model: 'the-group',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content },
      ],
      max_tokens: 64,
      ...(stream && { stream }),
    })
  return Buffer.from(frame('x'.repeat(Math.max(bytes - frame('').length, 1))))
}

/** One request, from the client's bytes to its answer's. */
function asked(line: Line, body: Buffer, stream: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    const sink: StreamSink = {
      head: () => {},
      data: (chunk) => {
        bytes += chunk.length
        return true
      },
      end: () => resolve(bytes),
      fail: reject,
    }
    const operation = OPERATIONS.chat
    const wanted = {
      stream,
      dropParams: true,
      fetchMedia: () => Promise.reject(new Error('no pictures here')),
      dropped: () => {},
      form: undefined,
      clock: systemClock,
    }
    const relayed = relay(line, 'chat', body, scanObject(body), LIMITS, sink)
    if (relayed === undefined) translate(line, operation, body, wanted, LIMITS, sink)
  })
}

/** The median of some rounds, microseconds a request. */
async function timed(times: number, once: () => Promise<unknown>): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    const from = performance.now()
    for (let at = 0; at < times; at += 1) await once()
    // The first one warms up.
    if (round > 0) rounds.push(((performance.now() - from) * 1000) / times)
  }
  return rounds.toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? 0
}

/** What one provider's words cost. */
interface Costs {
  readonly smallUs: number
  readonly largeUs: number
  /** Of one more event in a stream; 0 where the answer is not streamed by the provider. */
  readonly eventUs: number
}

async function costsOf(provider: string, line: Line, kind: { now: string }): Promise<Costs> {
  const run = async (name: keyof typeof TIMES, bytes: number): Promise<number> => {
    const isStream = name === 'stream' || name === 'long'
    const body = bodyOf(bytes, isStream)
    kind.now = `${provider} ${name}`
    return timed(TIMES[name], () => asked(line, body, isStream))
  }
  const smallUs = await run('small', SMALL_BYTES)
  const largeUs = await run('large', LARGE_BYTES)
  const streamUs = await run('stream', SMALL_BYTES)
  const longUs = await run('long', SMALL_BYTES)
  return { smallUs, largeUs, eventUs: Math.max((longUs - streamUs) / MORE_EVENTS, 0) }
}

/** One chat deployment of each provider, at its double. */
async function chatDeployments(): Promise<readonly Deployment[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-translation-'))
  try {
    const path = join(folder, 'config.yaml')
    const listed = nativeDeployments(HERE, 'key-of-the-upstream')
    // JSON is YAML.
    writeFileSync(path, JSON.stringify({ model_list: listed }))
    const { config, problems } = await readConfig(path, {})
    if (config === undefined) throw new Error(JSON.stringify(problems))
    await loadAdaptersOf(config.deployments)
    return config.deployments.filter(({ mode }) => mode === 'chat')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function main(only: string | undefined): Promise<void> {
  const known = new Map<string, Answer>()
  const kind = { now: '' }
  const transport = transportOf(known, () => kind.now)
  const rows: (readonly [string, Costs])[] = []
  for (const deployment of await chatDeployments()) {
    if (only !== undefined && deployment.provider !== only && deployment.provider !== 'openai') continue
    const opened = openLine(deployment, { transport, env: tokenHosts(HERE), redact: (text) => text })
    if (!('line' in opened)) throw new Error(`${deployment.group}: ${opened.misconfigured.message}`)
    rows.push([deployment.provider, await costsOf(deployment.provider, opened.line, kind)])
  }
  const base = rows.find(([name]) => name === 'openai')?.[1]
  if (base === undefined) throw new Error('nothing is passed on')
  console.log('chat, µs over passing on              600 B     100 KB     an event')
  let isMissed = false
  for (const [name, costs] of rows) {
    const [small, large] = [costs.smallUs - base.smallUs, costs.largeUs - base.largeUs]
    const isOk = small <= TARGETS.smallUs && large <= TARGETS.largeUs
    isMissed ||= !isOk
    console.log(
      `${isOk ? 'ok  ' : 'MISS'}  ${name.padEnd(28)} ${small.toFixed(1).padStart(8)} ${large.toFixed(0).padStart(10)}     ${costs.eventUs.toFixed(2).padStart(7)}`,
    )
  }
  console.log(
    `must: at most ${TARGETS.smallUs} and ${TARGETS.largeUs} (aim ${TARGETS.aimLargeUs}); passing on itself: ${base.smallUs.toFixed(1)} and ${base.largeUs.toFixed(0)}`,
  )
  process.exitCode = isMissed ? 1 : 0
}

await main(process.argv[2])
