import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import { isJsonObject } from '../../src/core/json.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import type { JournalEntry } from '../../src/fake-provider/journal.ts'
import { resolveModel } from '../../src/providers/registry.ts'
import { runProgram, startGateway, withFolder } from './program.ts'
import type { Gateway } from './program.ts'

const jsonSchema = z.json()
const upstreamSchema = z.object({
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  body: jsonSchema,
})
const requestSchema = z.object({
  method: z.string(),
  path: z.string(),
  key: z.string().nullable(),
  headers: z.record(z.string(), z.string()).optional(),
  body: jsonSchema.optional(),
})
const answerSchema = z.union([
  z.object({ failed: z.string() }),
  z.object({ status: z.number(), headers: z.record(z.string(), z.string()), body: jsonSchema }),
])
const stepSchema = z.union([
  z.object({
    name: z.string(),
    request: requestSchema,
    answer: answerSchema,
    upstream: z.array(upstreamSchema),
  }),
  z.object({
    name: z.string(),
    cli: z.string(),
    exit: z.number(),
    stdout: z.string(),
    stderr: z.string(),
    upstream: z.array(upstreamSchema).optional(),
  }),
])
const goldenSchema = z.object({ config: z.string(), steps: z.array(stepSchema) })

/** A recorded scenario. */
export type Golden = z.infer<typeof goldenSchema>
/** One request or command of a scenario, and what LiteLLM made of it. */
export type Step = Golden['steps'][number]
type Request = z.infer<typeof requestSchema>

/** A step as it went: what LiteLLM did and what we did, in the same form. */
export interface Replayed {
  readonly step: string
  readonly litellm: JsonObject
  readonly ours: JsonObject
  /** How long our answer took, milliseconds. */
  readonly tookMs: number
}

/** How one scenario is replayed. */
export interface ReplayOptions {
  /** Which steps; default all. */
  readonly only?: (step: Step) => boolean
  /** Awaited before each step, once the upstream's journal is empty. */
  readonly before?: (step: Step, fake: FakeProvider, gateway: Gateway) => Promise<void>
  /** Background checks come when they come: which requests is compared, how many is not. */
  readonly countless?: boolean
}

/** The upstream that the recordings were made against. */
const RECORDED_UPSTREAM = 'http://127.0.0.1:9100'
const FOLDER = join(import.meta.dirname, '../goldens')

/** The headers of an answer that the recordings kept. */
const RECORDED_HEADERS = [
  'content-type',
  'allow',
  'access-control-allow-methods',
  'litellm-health-field-notice',
  'llm_provider-x-ratelimit-remaining-requests',
  'x-litellm-attempted-fallbacks',
  'x-litellm-attempted-retries',
  'x-litellm-model-api-base',
  'x-litellm-model-group',
  'x-litellm-model-id',
  'x-litellm-response-cost',
  'x-litellm-version',
  'x-ratelimit-remaining-requests',
] as const

/** The request headers that say who asks. */
const CREDENTIALS = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'] as const
/** What is said to the model is each gateway's own choice; that something is said is not. */
const PROMPTS: ReadonlySet<string> = new Set(['messages', 'prompt', 'input', 'query', 'documents', 'texts'])

/** A verdict this young answers the next caller too; the next step wants one of its own. */
const VERDICT_IS_OLD_MS = 1_050

/** Reads a recording. */
export function readGolden(name: string): Golden {
  return goldenSchema.parse(JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')))
}

/** The ids of a config's deployments as we compute them, in its order. */
export async function idsOf(config: string): Promise<readonly string[]> {
  const { config: loaded } = await loadConfig({
    path: 'config.yaml',
    readFile: () => Promise.resolve(Buffer.from(config)),
    env: {},
    resolve: resolveModel,
  })
  return loaded?.deployments.map(({ id }) => id) ?? []
}

/** Runs the real program with a recording's config against the fake provider, and does its steps one by one. */
export async function replay(golden: Golden, options: ReplayOptions = {}): Promise<readonly Replayed[]> {
  const fake = await startFakeProvider()
  const config = golden.config.replaceAll(RECORDED_UPSTREAM, fake.url)
  const unport = await portless(golden.config, config, fake)
  try {
    return await withFolder({ 'config.yaml': `${config}\n` }, async (cwd) => {
      const args = ['config.yaml', '--host', '127.0.0.1', '--port', '0']
      const gateway = await startGateway(args, { cwd })
      try {
        return await doSteps(golden, { fake, gateway, cwd, unport, options })
      } finally {
        await gateway.stop(0)
      }
    })
  } finally {
    await fake.stop()
  }
}

interface Stage {
  readonly fake: FakeProvider
  readonly gateway: Gateway
  readonly cwd: string
  /** Our text as it would be had the upstream listened where the recorded one did. */
  readonly unport: (text: string) => string
  readonly options: ReplayOptions
}

/** Derived ids hang on the address: ours are put back to those of the recorded config, by position. */
async function portless(
  recorded: string,
  replaced: string,
  fake: FakeProvider,
): Promise<(text: string) => string> {
  const [was, is] = await Promise.all([idsOf(recorded), idsOf(replaced)])
  return (text) =>
    is.reduce((done, id, index) => done.replaceAll(id, was[index] ?? ''), text).replaceAll(fake.url, RECORDED_UPSTREAM)
}

async function doSteps(golden: Golden, stage: Stage): Promise<readonly Replayed[]> {
  const { fake, gateway, options } = stage
  const done: Replayed[] = []
  for (const step of golden.steps.filter(options.only ?? (() => true))) {
    fake.clearJournal()
    if (options.before) await options.before(step, fake, gateway)
    else if (done.length > 0 && wantsProbes(step)) await setTimeout(VERDICT_IS_OLD_MS)
    const startedAt = performance.now()
    const answer = 'cli' in step ? await command(step.cli, stage) : await answerTo(step.request, stage)
    const tookMs = performance.now() - startedAt
    const journal: unknown = JSON.parse(stage.unport(JSON.stringify(fake.journal())))
    const sent = wire(z.array(upstreamSchema.loose()).parse(journal), options)
    const litellm = { ...recordedAnswer(step), upstream: wire(step.upstream ?? [], options) }
    done.push({ step: step.name, litellm: keyed(litellm, litellm), ours: keyed({ ...answer, upstream: sent }, litellm), tookMs })
  }
  return done
}

function wantsProbes(step: Step): boolean {
  return (step.upstream ?? []).length > 0 && ('cli' in step || step.request.path.startsWith('/health'))
}

function recordedAnswer(step: Step): JsonObject {
  if ('cli' in step) return { exit: step.exit, stdout: step.stdout, stderr: step.stderr }
  const { answer } = step
  if ('failed' in answer) return { status: answer.failed }
  return { ...answer, body: readBody(answer.headers['content-type'], answer.body) }
}

async function command(line: string, { gateway, cwd, unport }: Stage): Promise<JsonObject> {
  const port = new URL(gateway.url).port
  const { code, stdout, stderr } = await runProgram(line.replace('{port}', port).split(' '), { cwd })
  return { exit: code, stdout: unport(stdout), stderr: unport(stderr) }
}

async function answerTo({ method, path, key, headers = {}, body }: Request, stage: Stage): Promise<JsonObject> {
  const response = await fetch(`${stage.gateway.url}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = stage.unport(await response.text())
  const type = response.headers.get('content-type') ?? undefined
  const kept = RECORDED_HEADERS.flatMap((name) => {
    const value = response.headers.get(name)
    return value === null ? [] : [[name, stage.unport(value)]]
  })
  const isJson = type?.includes('application/json') === true && text !== ''
  const read: unknown = isJson ? JSON.parse(text) : text
  return { status: response.status, headers: Object.fromEntries(kept), body: readBody(type, jsonSchema.parse(read)) }
}

/** An event stream as its events, anything else as it is. */
function readBody(type: string | undefined, body: Json): Json {
  if (typeof body !== 'string' || type?.startsWith('text/event-stream') !== true) return body
  return body
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const data = event.replace(/^data: /, '')
      return data.startsWith('{') ? jsonSchema.parse(JSON.parse(data)) : event
    })
}

/** What went upstream, by method, URL and credentials: so often, with this type and this body. */
function wire(requests: readonly (z.infer<typeof upstreamSchema> | JournalEntry)[], { countless }: ReplayOptions): JsonObject {
  const byName = new Map<string, { times: number; type: string; body: Json }>()
  for (const { method, url, headers, body } of requests) {
    const credentials = CREDENTIALS.flatMap((name) => (headers[name] === undefined ? [] : [` ${name}: ${String(headers[name])}`]))
    const name = `${method} ${url}${credentials.join('')}`
    const times = countless === true ? 1 : (byName.get(name)?.times ?? 0) + 1
    const type = String(headers['content-type'] ?? 'none').replace(/;.*$/, '')
    byName.set(name, { times, type, body: withoutPrompts(body) })
  }
  return Object.fromEntries(byName)
}

function withoutPrompts(body: Json): Json {
  if (!isJsonObject(body)) return body
  const { multipart } = body
  if (Array.isArray(multipart)) {
    const names: readonly Json[] = multipart.map((part: Json) => (Array.isArray(part) ? part[0] : part))
    return { parts: names.map(String).sort() }
  }
  const kept = Object.entries(body).map(([name, value]) => [name, PROMPTS.has(name) ? '(words)' : value])
  return Object.fromEntries(kept)
}

/** A health body with its lists turned into one map of entries, so that an entry in the other list still is compared. */
function keyed(answer: JsonObject, recorded: JsonObject): JsonObject {
  const { body } = answer
  if (!isJsonObject(body) || !Array.isArray(body['healthy_endpoints'])) return answer
  const lists = Object.entries(body).filter(([name]) => name.endsWith('_endpoints'))
  const rest = Object.entries(body).filter(([name]) => !name.endsWith('_endpoints'))
  const hasIds = JSON.stringify(recorded).includes('"model_id"')
  const entries: [string, JsonObject][] = []
  for (const [list, members] of lists) {
    for (const entry of Array.isArray(members) ? members : []) {
      if (!isJsonObject(entry)) continue
      const name = hasIds ? entry['model_id'] : `${String(entry['model'])} ${String(entry['api_base'])}`
      entries.push([String(name), { list: list.replace('_endpoints', ''), ...entry }])
    }
  }
  return { ...answer, body: { ...Object.fromEntries(rest), entries: Object.fromEntries(entries) } }
}
