import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import type { Deployment } from '../../src/core/deployment.ts'
import { isJsonObject } from '../../src/core/json.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
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
  /** Awaited before each step; default: until verdicts are old enough to be made anew. */
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

/** Longer than any answer here may take. */
const ANSWER_DEADLINE_MS = 15_000

/** A verdict this young answers the next caller too; the next step wants one of its own. */
const VERDICT_IS_OLD_MS = 1_050

/** Reads a recording; `name` is `version/scenario`. */
export function readGolden(name: string): Golden {
  return goldenSchema.parse(JSON.parse(readFileSync(join(FOLDER, `litellm-${name}.json`), 'utf8')))
}

/** A config's deployments as the program reads them, in its order. */
export async function deploymentsOf(config: string): Promise<readonly Deployment[]> {
  const { config: loaded } = await loadConfig({
    path: 'config.yaml',
    readFile: () => Promise.resolve(Buffer.from(config)),
    env: {},
    resolve: resolveModel,
  })
  return loaded?.deployments ?? []
}

/** Runs the real program with a recording's config against the fake provider, and does its steps one by one. */
export async function replay(golden: Golden, options: ReplayOptions = {}): Promise<readonly Replayed[]> {
  const fake = await startFakeProvider()
  const config = golden.config.replaceAll(RECORDED_UPSTREAM, fake.url)
  try {
    return await withFolder({ 'config.yaml': config }, async (cwd) => {
      const recorded = await deploymentsOf(golden.config)
      const unport = portless(recorded, await deploymentsOf(config), fake)
      const gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], { cwd })
      try {
        return await doSteps(golden, { fake, gateway, cwd, unport, recorded, options })
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
  readonly recorded: readonly Deployment[]
  readonly options: ReplayOptions
}

/** Derived ids hang on the address: ours are put back to those of the recorded config, by position. */
function portless(
  recorded: readonly Deployment[],
  replaced: readonly Deployment[],
  fake: FakeProvider,
): (text: string) => string {
  const pairs = replaced.map(({ id }, index) => [id, recorded[index]?.id ?? ''] as const)
  return (text) =>
    pairs.reduce((done, [is, was]) => done.replaceAll(is, was), text).replaceAll(fake.url, RECORDED_UPSTREAM)
}

async function doSteps(golden: Golden, stage: Stage): Promise<readonly Replayed[]> {
  const { fake, gateway, options, recorded, unport } = stage
  const done: Replayed[] = []
  for (const step of golden.steps.filter(options.only ?? (() => true))) {
    if (options.before !== undefined) await options.before(step, fake, gateway)
    else if (done.length > 0 && wantsProbes(step)) await setTimeout(VERDICT_IS_OLD_MS)
    const startedAt = performance.now()
    const answer = 'cli' in step ? await command(step.cli, stage) : await answerTo(step.request, stage)
    const tookMs = performance.now() - startedAt
    const journal: unknown = JSON.parse(unport(JSON.stringify(fake.journal())))
    fake.clearJournal()
    const sent = wire(z.array(upstreamSchema).parse(journal), options)
    const litellm = { ...recordedAnswer(step), upstream: wire(step.upstream ?? [], options) }
    done.push({
      step: step.name,
      litellm: byName(litellm, recorded),
      ours: byName({ ...answer, upstream: sent }, recorded),
      tookMs,
    })
  }
  return done
}

function wantsProbes(step: Step): boolean {
  return (step.upstream ?? []).length > 0 && ('cli' in step || step.request.path.startsWith('/health'))
}

function recordedAnswer(step: Step): JsonObject {
  if ('cli' in step) return { exit: step.exit, stdout: step.stdout, stderr: step.stderr }
  const { answer } = step
  if ('failed' in answer) return { failed: answer.failed }
  return { ...answer, body: readBody(answer.headers['content-type'], answer.body) }
}

async function command(line: string, { gateway, cwd, unport }: Stage): Promise<JsonObject> {
  const { port } = new URL(gateway.url)
  const { code, stdout, stderr } = await runProgram(line.replace('{port}', port).split(' '), { cwd })
  return { exit: code, stdout: unport(stdout), stderr: unport(stderr) }
}

async function answerTo(
  { method, path, key, headers = {}, body }: Request,
  stage: Stage,
): Promise<JsonObject> {
  const response = await fetch(`${stage.gateway.url}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
  })
  const text = stage.unport(await response.text())
  const type = response.headers.get('content-type') ?? undefined
  const kept = RECORDED_HEADERS.flatMap((name) => {
    const value = response.headers.get(name)
    return value === null ? [] : [[name, stage.unport(value)]]
  })
  const isJson = type?.includes('application/json') === true && text !== ''
  const read = jsonSchema.parse(isJson ? JSON.parse(text) : text)
  return { status: response.status, headers: Object.fromEntries(kept), body: readBody(type, read) }
}

/** An event stream as its events, anything else as it is. */
function readBody(type: string | undefined, body: Json): Json {
  if (typeof body !== 'string' || type?.startsWith('text/event-stream') !== true) return body
  return body
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => (event.startsWith('data: {') ? jsonSchema.parse(JSON.parse(event.slice(6))) : event))
}

/** What went upstream, by method, URL and credentials: how often, with which type and body. */
function wire(requests: readonly z.infer<typeof upstreamSchema>[], { countless }: ReplayOptions): JsonObject {
  const counted = new Map<string, { times: number; type: string; body: Json }>()
  for (const { method, url, headers, body } of requests) {
    const credentials = CREDENTIALS.filter((name) => headers[name] !== undefined)
    const name = [
      `${method} ${url}`,
      ...credentials.map((name) => `${name}: ${timeless(headers[name])}`),
    ].join(' ')
    const times = countless === true ? 1 : (counted.get(name)?.times ?? 0) + 1
    const type = (headers['content-type'] ?? 'none').replace(/;.*$/, '')
    counted.set(name, { times, type, body: withoutPrompts(body) })
  }
  return Object.fromEntries(counted)
}

/** AWS's signatures hold for a moment: who signed, and what, is compared. */
function timeless(credential = ''): string {
  return credential.replace(/\/\d{8}\//, '/(day)/').replace(/Signature=[0-9a-f]+$/, 'Signature=(signature)')
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

/** A health body with one map of entries by model name in place of its lists: an entry in the other list is compared too. */
function byName(answer: JsonObject, deployments: readonly Deployment[]): JsonObject {
  const { body } = answer
  if (!isJsonObject(body) || !Array.isArray(body['healthy_endpoints'])) return answer
  const rest: Record<string, Json | undefined> = {}
  const entries: Record<string, Json> = {}
  for (const [key, members] of Object.entries(body)) {
    if (key.endsWith('_endpoints') && Array.isArray(members))
      for (const entry of members.filter(isJsonObject))
        entries[nameOf(entry, deployments)] = { list: key.replace('_endpoints', ''), ...entry }
    else rest[key] = members
  }
  return { ...answer, body: { ...rest, entries } }
}

/** An entry's model name in the config, with its id where several share the name. Old releases show no ids. */
function nameOf(
  { model_id: id, model, api_base: base }: JsonObject,
  deployments: readonly Deployment[],
): string {
  const found = deployments.find((each) =>
    id === undefined ? each.model === model && each.connection.apiBase === base : each.id === id,
  )
  if (found === undefined) return JSON.stringify(id ?? model)
  const isAlone = deployments.filter(({ group }) => group === found.group).length === 1
  return isAlone ? found.group : `${found.group} ${found.id}`
}
