/**
 * What a client notices of upstreams that fail, in the time of the clock: one sick deployment beside a live one under
 * every routing strategy, and groups of which nobody lives. Prints tables and ends with 1 where a figure is missed.
 * Run with `node bench/faults.ts [strategy…]`; `--seconds=N` shortens it.
 */
import type { Agent } from 'node:http'
import { startFakeProvider } from '../src/fake-provider/server.ts'
import type { FakeProvider } from '../src/fake-provider/server.ts'
import { openBlackHole } from '../test/e2e/black-hole.ts'
import { freePort, startGateway, withFolder } from '../test/e2e/program.ts'
import { ask, askOpenly, createAgent, type Answer, type Question } from './asking.ts'
import { table } from './figures.ts'
import { KEY } from './messages.ts'

const STRATEGIES = [
  'simple-shuffle',
  'least-busy',
  'latency-based-routing',
  'usage-based-routing-v2',
  'cost-based-routing',
]

/** How a deployment is sick; `hang` is the one that is noticed late. */
const SICK = ['e500', 'e401', 'e429', 'reset', 'refused', 'hang']
const RATE = 50
const DEFAULT_SECONDS = 20
/** A request that took longer was held up by the sick one. */
const LATE_MS = 100
const MOST = { fast: 1.05, hang: 1.1, late: 60 }
/** Answers about a dead group, after the first one; what a group that swallows connections may take at first. */
const AT_ONCE_MS = 50
const CONNECT_MS = 3_000
const SLACK_MS = 200
/** Of the routes that have nothing to do with upstreams. */
const OTHER_P99_MS = 20
const OTHERS = ['/v1/models', '/health/liveliness']
const MESSAGES = [{ role: 'user', content: 'ping' }]
/** A process is slowest when it is new: what is measured begins after so many seconds of a group that lives. */
const WARM_UP = { perSecond: 200, seconds: 3 }

interface Listed {
  readonly group: string
  readonly id: string
  readonly base: string
  readonly timeout?: number
}

/** How a running gateway is asked. */
interface Asking {
  readonly agent: Agent
  readonly chat: (model: string) => Question
  /** In the order of `OTHERS`. */
  readonly others: readonly Question[]
}

const configOf = (models: readonly Listed[], router: object): string =>
  JSON.stringify({
    model_list: models.map(({ group, id, base, timeout }) => ({
      model_name: group,
      litellm_params: {
        model: `openai/gpt-4o-${id}`,
        api_base: base,
        api_key: 'sk-bench-upstream',
        ...(timeout !== undefined && { timeout }),
      },
      model_info: { id },
    })),
    general_settings: { master_key: KEY, drain_delay: 0 },
    router_settings: { num_retries: 2, ...router },
  })

/** A gateway that has been at work for a while. */
async function withGateway(
  fake: FakeProvider,
  models: readonly Listed[],
  router: object,
  use: (asking: Asking) => Promise<void>,
): Promise<void> {
  const warm = { group: 'warm', id: 'warm', base: `${fake.url}/ok/v1` }
  const config = configOf([...models, warm], router)
  await withFolder({ 'config.yaml': config }, async (cwd) => {
    const gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], { cwd })
    const agent = createAgent()
    const chat = (model: string): Question => ({
      url: `${gateway.url}/v1/chat/completions`,
      body: { model, messages: MESSAGES },
    })
    try {
      const others = OTHERS.map((path) => ({ url: gateway.url + path }))
      const questions = [chat(warm.group), ...others]
      await Promise.all(questions.map((question) => askOpenly(agent, question, WARM_UP)))
      await use({ agent, chat, others })
    } finally {
      agent.destroy()
      await gateway.stop(0)
    }
  })
}

/** A row of a table, and whether its figures are met. */
interface Row {
  readonly cells: readonly string[]
  readonly isMet: boolean
}

async function besideALiveOne(
  fake: FakeProvider,
  strategy: string,
  seconds: number,
): Promise<readonly Row[]> {
  const models = await Promise.all(
    SICK.map(async (sick): Promise<readonly Listed[]> => {
      const base = sick === 'refused' ? `http://127.0.0.1:${await freePort()}/v1` : `${fake.url}/${sick}/v1`
      return [
        { group: sick, id: `${strategy}-${sick}-sick`, base, ...(sick === 'hang' && { timeout: 2 }) },
        { group: sick, id: `${strategy}-${sick}-live`, base: `${fake.url}/ok/v1` },
      ]
    }),
  )
  const rows: Row[] = []
  await withGateway(fake, models.flat(), { routing_strategy: strategy }, async ({ agent, chat }) => {
    const pace = { perSecond: RATE, seconds }
    const all = await Promise.all(SICK.map((sick) => askOpenly(agent, chat(sick), pace)))
    for (const [at, sick] of SICK.entries()) rows.push(sickRow(strategy, sick, all[at] ?? []))
  })
  return rows
}

function sickRow(strategy: string, sick: string, answers: readonly Answer[]): Row {
  const failed = answers.filter(({ status }) => status !== 200)
  const asked = answers.reduce((sum, { retries }) => sum + 1 + retries, 0)
  const share = asked / Math.max(answers.length, 1)
  const late = answers.filter(({ tookMs }) => tookMs > LATE_MS).length
  const isHang = sick === 'hang'
  const isMet =
    answers.length > 0 &&
    failed.length === 0 &&
    share <= (isHang ? MOST.hang : MOST.fast) &&
    (!isHang || late <= MOST.late)
  const cells = [
    strategy,
    sick,
    String(answers.length),
    String(failed.length),
    share.toFixed(3),
    String(late),
    `${Math.round(percentile(answers, 1))}`,
    isMet ? 'met' : `MISSED ${failed[0]?.text.slice(0, 120) ?? ''}`,
  ]
  return { cells, isMet }
}

/** A group of two that nobody answers for: the first request, and those that follow for longer than a cooldown. */
async function nobodyLives(
  fake: FakeProvider,
  name: string,
  bases: readonly string[],
  seconds: number,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  const models = bases.map((base, at) => ({ group: 'dead', id: `dead-${at}`, base: `${base}/v1` }))
  await withGateway(fake, models, {}, async ({ agent, chat, others }) => {
    const pace = { perSecond: RATE, seconds }
    const asides = others.map((other) => askOpenly(agent, other, pace))
    rows.push(firstRow(name, await ask(agent, chat('dead'))))
    rows.push(laterRow(name, await askOpenly(agent, chat('dead'), pace)))
    for (const [at, answers] of (await Promise.all(asides)).entries())
      rows.push(asideRow(name, OTHERS[at] ?? '', answers))
  })
  return rows
}

function firstRow(name: string, { status, tookMs }: Answer): Row {
  const isMet = status >= 500 && tookMs <= CONNECT_MS + SLACK_MS
  return { cells: [name, 'first', '1', String(status), `${Math.round(tookMs)}`, metWord(isMet)], isMet }
}

function laterRow(name: string, answers: readonly Answer[]): Row {
  const isQuick = ({ status, retryAfter, tookMs }: Answer): boolean =>
    status === 503 && retryAfter !== undefined && tookMs <= AT_ONCE_MS
  const odd = answers.filter((answer) => !isQuick(answer))
  const statuses = [...new Set(answers.map(({ status }) => status))].join(' ')
  const isMet = odd.length === 0
  // Whoever waits that long has waited for a connection; the others for this machine.
  const held = odd.filter(({ tookMs }) => tookMs > CONNECT_MS / 2).length
  const word = isMet ? 'met' : `MISSED by ${odd.length}, ${held} of them by seconds`
  const most = `${Math.round(percentile(answers, 1))}`
  return { cells: [name, 'later', String(answers.length), statuses, most, word], isMet }
}

function asideRow(name: string, path: string, answers: readonly Answer[]): Row {
  const p99 = percentile(answers, 0.99)
  const isMet = answers.every(({ status }) => status === 200) && p99 <= OTHER_P99_MS
  const cells = [name, `${path}, p99`, String(answers.length), '200', p99.toFixed(1), metWord(isMet)]
  return { cells, isMet }
}

const metWord = (isMet: boolean): string => (isMet ? 'met' : 'MISSED')

function percentile(answers: readonly Answer[], share: number): number {
  const sorted = answers.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function shown(heads: readonly string[], rows: readonly Row[]): void {
  console.log(`\n${table([heads, ...rows.map(({ cells }) => cells)])}`)
}

const secondsAsked = process.argv.find((word) => word.startsWith('--seconds='))?.slice('--seconds='.length)
const seconds = Number(secondsAsked ?? DEFAULT_SECONDS)
const named = process.argv.slice(2).filter((word) => !word.startsWith('--'))

const fake = await startFakeProvider()
const beside: Row[] = []
const dead: Row[] = []
const holes = await Promise.all([openBlackHole(), openBlackHole()])
try {
  for (const strategy of named.length > 0 ? named : STRATEGIES)
    beside.push(...(await besideALiveOne(fake, strategy, seconds)))
  const closed = await Promise.all([freePort(), freePort()])
  const bases = closed.map((port) => `http://127.0.0.1:${port}`)
  dead.push(...(await nobodyLives(fake, 'refusing', bases, seconds)))
  const swallowing = holes.map(({ url }) => url)
  dead.push(...(await nobodyLives(fake, 'black hole', swallowing, seconds)))
} finally {
  for (const hole of holes) hole.stop()
  await fake.stop()
}
shown(['strategy', 'sick', 'requests', 'failed', 'upstream each', 'over 100 ms', 'most ms', ''], beside)
shown(['group', 'asked', 'requests', 'status', 'most ms', ''], dead)
process.exitCode = [...beside, ...dead].every(({ isMet }) => isMet) ? 0 : 1
