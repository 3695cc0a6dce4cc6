import { setTimeout as later } from 'node:timers/promises'
import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { startGateway, withFolder, type Gateway, type StartOptions } from './program.ts'

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The JSON of the text; undefined where it is none. */
  readonly json: unknown
}

/** A request; a body that is an object goes out as JSON. */
export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object | string
}

/** A gateway with the fake provider behind it. */
export interface Stage {
  readonly gateway: Gateway
  readonly fake: FakeProvider
}

/** A config for `withStage`: the text, or what makes it of the fake's address. */
export type ConfigText = string | ((fake: FakeProvider) => string)

const DEADLINE_MS = 10_000

/** The master key of `configOf`. */
export const KEY = 'sk-1234'
/** The header that carries it. */
export const AUTH = { authorization: `Bearer ${KEY}` } as const
/** What every deployment of `configOf` sends upstream. */
export const UPSTREAM_KEY = 'sk-upstream-openai'
/** A conversation. */
export const MESSAGES = [{ role: 'user', content: 'ping' }] as const

/** A deployment of a test's config. */
export interface Entry {
  readonly group: string
  /** Path at the fake, with an order in it; or a whole address. */
  readonly base: string
  readonly model?: string
  readonly params?: string
  readonly info?: string
}

function entry(
  fake: FakeProvider,
  { group, base, model = 'openai/gpt-4o', params = '', info = '' }: Entry,
): string {
  const address = base.startsWith('http') ? base : `${fake.url}/${base}`
  return (
    `  - model_name: ${group}\n` +
    `    litellm_params: { model: '${model}', api_base: '${address}', api_key: ${UPSTREAM_KEY}${params} }\n` +
    `    model_info: { id: id-${group.replace('/', '-')}${info} }\n`
  )
}

/** Settings of a gateway that ends without waiting. */
export const SETTINGS = `general_settings:\n  master_key: ${KEY}\n  drain_delay: 0\n`

/** A config of these deployments. */
export const configOf =
  (entries: readonly Entry[], settings = SETTINGS) =>
  (fake: FakeProvider): string =>
    `model_list:\n${entries.map((one) => entry(fake, one)).join('')}${settings}`

/** Sends a request and reads all of the answer: POST where there is a body, else GET. */
export async function ask(url: string, { method, headers = {}, body }: Ask = {}): Promise<Answer> {
  const isObject = typeof body === 'object'
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(isObject ? { 'content-type': 'application/json' } : {}), ...headers },
    signal: AbortSignal.timeout(DEADLINE_MS),
    ...(body === undefined ? {} : { body: isObject ? JSON.stringify(body) : body }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parsed(text) }
}

/** Sends a chat request with the master key. */
export const chat = (gateway: Gateway, body: object, more: Ask = {}): Promise<Answer> =>
  ask(`${gateway.url}/v1/chat/completions`, {
    ...more,
    headers: { ...AUTH, ...more.headers },
    body: { messages: MESSAGES, ...body },
  })

/** Starts the fake and the program with this config, and ends both after `use`. Listens on the loopback. */
export async function withStage(
  config: ConfigText,
  use: (stage: Stage) => Promise<void>,
  options: StartOptions & { readonly keys?: readonly string[] } = {},
): Promise<void> {
  const { keys, ...start } = options
  const fake = await startFakeProvider(keys === undefined ? {} : { keys })
  try {
    await withFolder({ 'config.yaml': typeof config === 'string' ? config : config(fake) }, async (cwd) => {
      const args = ['config.yaml', '--host', '127.0.0.1', '--port', '0']
      const gateway = await startGateway(args, { ...start, cwd, env: { ...hostsAt(fake), ...start.env } })
      try {
        await use({ gateway, fake })
      } finally {
        await gateway.stop(0)
      }
    })
  } finally {
    await fake.stop()
  }
}

/** Every API host that a config may leave to the environment, pointed at the fake, with keys beside them. */
export function hostsAt({ url }: Pick<FakeProvider, 'url'>): Readonly<Record<string, string>> {
  return {
    OPENAI_API_BASE: `${url}/v1`,
    OPENAI_API_KEY: 'sk-upstream-openai',
    AZURE_API_BASE: url,
    AZURE_API_KEY: 'upstream-azure-key',
    AWS_BEDROCK_RUNTIME_ENDPOINT: `${url}/as-bedrock`,
    AWS_ACCESS_KEY_ID: 'AKIAUPSTREAM',
    AWS_SECRET_ACCESS_KEY: 'secret-of-AKIAUPSTREAM',
    AWS_REGION: 'us-east-1',
    ANTHROPIC_API_BASE: `${url}/as-anthropic`,
    ANTHROPIC_API_KEY: 'upstream-anthropic-key',
    COHERE_API_BASE: url,
    COHERE_API_KEY: 'upstream-cohere-key',
  }
}

/** Reads again and again until the value is right; fails with the last one after the deadline. */
export async function eventually<Value>(
  read: () => Value | Promise<Value>,
  isRight: (value: Value) => boolean,
  deadlineMs = DEADLINE_MS,
): Promise<Value> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const value = await read()
    if (isRight(value)) return value
    if (performance.now() > end) throw new Error(`still ${JSON.stringify(value)} after ${deadlineMs} ms`)
    await later(20)
  }
}

/** What the program has said on stderr beyond its log of ordinary events. */
export function complaints(gateway: Pick<Gateway, 'stderr'>): readonly string[] {
  return gateway
    .stderr()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{"level":"info"'))
}

/** A member of something read from JSON, by its path; undefined where any step is missing. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = Reflect.get(here, step)
  }
  return here
}

/** The list at a path; empty where there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}

/** The member names of an object, in order. */
export function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // No JSON: whoever asks for `json` compares with undefined.
    return undefined
  }
}
