import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { before, describe, test } from 'node:test'
import { z } from 'zod'
import { isJsonObject } from '../../src/core/json.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { differences, judge, toText } from './golden-compare.ts'
import type { Difference, Intended } from './golden-compare.ts'
import { deploymentsOf, readGolden, replay } from './golden-replay.ts'
import type { Replayed, ReplayOptions, Step } from './golden-replay.ts'
import type { Gateway } from './program.ts'

interface Scenario {
  /** `version/scenario`. */
  readonly name: string
  readonly options?: ReplayOptions
}

/** Two of other providers' words that are not spoken here yet. */
const isOpenAi = (step: Step): boolean => !['responses', 'messages'].includes(step.name)
const isHealth = (step: Step): boolean => step.name === 'health'

/** The slow ones first. The older release only where it shows what the newer one lost. */
const SCENARIOS: readonly Scenario[] = [
  { name: '1.100.5/02-faults-chat' },
  { name: '1.100.5/05-background', options: { before: backgroundCycle, countless: true } },
  { name: '1.100.5/06-targeted' },
  { name: '1.100.5/10-chat-faults' },
  { name: '1.100.5/07-auth' },
  { name: '1.100.5/08-open-mode' },
  { name: '1.53.1/07-auth' },
  { name: '1.100.5/01-nine-modes' },
  { name: '1.53.1/01-nine-modes', options: { only: isHealth } },
  { name: '1.100.5/09-chat' },
  { name: '1.100.5/11-other-routes', options: { only: isOpenAi } },
  { name: '1.100.5/12-providers' },
]

/** Programs that run at once; most of the time they wait. */
const LANES = 4
const CYCLE_DEADLINE_MS = 12_000

const intended: readonly Intended[] = z
  .array(
    z.strictObject({
      at: z.string(),
      path: z.string(),
      litellm: z.json(),
      ours: z.json(),
      why: z.string().min(10),
    }),
  )
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../goldens/intended-differences.json'), 'utf8')))

/** Waits for the end of the first and of the second cycle; in between nothing is waited for. */
async function backgroundCycle(step: Step, fake: FakeProvider, gateway: Gateway): Promise<void> {
  if (step.name === 'health at once')
    await until(async () => {
      const answer = await fetch(`${gateway.url}/health`, { headers: { authorization: 'Bearer sk-1234' } })
      return !(await answer.text()).includes('unknown_count')
    })
  if (step.name === 'health after the second cycle') await until(async () => fake.journal().length >= 2)
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(CYCLE_DEADLINE_MS)
  while (!(await isSo())) await setTimeout(50, undefined, { signal: deadline })
}

async function replayAll(): Promise<ReadonlyMap<string, readonly Replayed[]>> {
  const done = new Map<string, readonly Replayed[]>()
  const waiting = [...SCENARIOS]
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      done.set(next.name, await replay(readGolden(next.name), next.options))
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return done
}

function object(value: Json | undefined): JsonObject {
  assert.ok(isJsonObject(value), `not an object: ${JSON.stringify(value)}`)
  return value
}

function entriesOf({ ours }: Replayed): readonly [string, JsonObject][] {
  return Object.entries(object(object(ours['body'])['entries'])).map(([name, entry]) => [name, object(entry)])
}

function requestsIn({ ours }: Replayed): readonly [string, number][] {
  return Object.entries(object(ours['upstream'])).map(([name, sent]) => [name, Number(object(sent)['times'])])
}

const sum = (requests: readonly [string, number][]): number =>
  requests.reduce((total, [, times]) => total + times, 0)

describe('recorded answers of LiteLLM', () => {
  let replayed: ReadonlyMap<string, readonly Replayed[]> = new Map()
  let found: readonly Difference[] = []

  before(async () => {
    replayed = await replayAll()
    found = [...replayed].flatMap(([name, steps]) =>
      steps.flatMap(({ step, litellm, ours }) => differences(`${name}/${step}`, litellm, ours)),
    )
  })

  const step = (scenario: string, name: string): Replayed => {
    const one = replayed.get(scenario)?.find((each) => each.step === name)
    assert.ok(one, `${scenario} has no step ${name}`)
    return one
  }

  for (const { name } of SCENARIOS)
    test(`${name} is answered the same way, but for what is meant to differ`, () => {
      const mine = found.filter(({ at }) => at.startsWith(`${name}/`))
      assert.ok((replayed.get(name)?.length ?? 0) > 0)
      assert.deepEqual(judge(mine, intended).unlisted.map(toText), [])
    })

  test('every difference that is meant is really there', () => {
    assert.deepEqual(judge(found, intended).unused, [])
  })

  test('the ids of seventeen deployments are those that LiteLLM gave them', async () => {
    const golden = readGolden('1.100.5/01-nine-modes')
    const recorded = object(step('1.100.5/01-nine-modes', 'model info').litellm['body'])['data']
    assert.ok(Array.isArray(recorded) && recorded.length === 17)
    assert.deepEqual(
      (await deploymentsOf(golden.config)).map(({ id }) => id),
      recorded.map((each) => object(object(each)['model_info'])['id']),
    )
  })

  test('all nine modes are healthy, each proven by one request', () => {
    const health = step('1.100.5/01-nine-modes', 'health')
    const entries = entriesOf(health)
    assert.deepEqual(
      entries.map(([, { list }]) => list),
      Array.from({ length: 17 }, () => 'healthy'),
    )
    assert.equal(new Set(entries.map(([, { mode }]) => mode)).size, 9)
    assert.equal(sum(requestsIn(health)), 17)
  })

  test('each fault is listed with its number, in the time of the slowest', () => {
    const health = step('1.100.5/02-faults-chat', 'health')
    assert.deepEqual(
      Object.fromEntries(
        entriesOf(health).map(([name, entry]) => [name, entry['exception_status'] ?? entry['list']]),
      ),
      {
        e400: 400,
        e401: 401,
        e403: 403,
        e404: 404,
        e408: 408,
        e409: 409,
        e422: 422,
        e429: 429,
        e500: 500,
        e502: 502,
        e503: 503,
        e529: 529,
        hang: 408,
        garbage: 500,
        empty: 500,
        reset: 500,
        err200: 500,
        refused: 500,
        fine: 'healthy',
      },
    )
    // The one that hangs is waited for 3 s, and nobody after it.
    assert.ok(health.tookMs < 5_900, `${health.tookMs} ms`)
  })

  test('what failed is told with the whole id of the deployment, to the client as in the health answer', () => {
    for (const [name, entry] of entriesOf(step('1.100.5/02-faults-chat', 'health'))) {
      if (name === 'fine') continue
      const told = object(object(step('1.100.5/10-chat-faults', name).ours['body'])['error'])['message']
      for (const text of [entry['error'], told])
        assert.match(JSON.stringify(text), new RegExp(String.raw`deployment \\"${name}\\" \(id-${name}\)`))
    }
  })

  test('a failing deployment is asked once, and one that refuses the connection never hears of it', () => {
    const requests = requestsIn(step('1.100.5/02-faults-chat', 'health'))
    assert.equal(requests.length, 18)
    assert.equal(sum(requests), 18)
  })

  test("entries stand in the order of the config, LiteLLM's fields in its order before ours", async () => {
    for (const scenario of ['1.100.5/01-nine-modes', '1.100.5/02-faults-chat']) {
      const health = step(scenario, 'health')
      const groups = (await deploymentsOf(readGolden(scenario).config)).map(({ group }) => group)
      const recorded = object(object(health.litellm['body'])['entries'])
      for (const list of ['healthy', 'unhealthy']) {
        const names = entriesOf(health).flatMap(([name, entry]) => (entry['list'] === list ? [name] : []))
        assert.deepEqual(
          names,
          groups.filter((group) => names.includes(group)),
        )
      }
      for (const [name, entry] of entriesOf(health)) {
        const theirs = Object.keys(object(recorded[name])).filter((key) => key in entry)
        const shared = Object.keys(entry).filter((key) => theirs.includes(key))
        assert.deepEqual(shared, theirs, name)
        const added = Object.keys(entry).slice(Object.keys(entry).indexOf('model_id') + 1)
        assert.deepEqual(
          added.filter((key) => theirs.includes(key)),
          theirs.includes('exception_status') ? ['exception_status'] : [],
        )
      }
    }
  })
})

describe('the comparison of two answers', () => {
  const line: Intended = {
    at: '1/a/*',
    path: 'body > entries > * > cache',
    litellm: '*',
    ours: 'absent',
    why: 'an accident',
  }
  const compare = (litellm: Json, ours: Json, lines: readonly Intended[] = [line]) => {
    const { unlisted, unused } = judge(differences('1/a/health', litellm, ours), lines)
    return { unlisted: unlisted.map(({ path }) => path), unused: unused.length }
  }
  const entry = (fields: JsonObject): JsonObject => ({ body: { entries: { gpt: fields } } })

  for (const [name, litellm, ours, unlisted, unused] of [
    ['a listed difference passes', entry({ cache: 1 }), entry({}), [], 0],
    ['an unlisted key fails', entry({ cache: 1, tpm: 2 }), entry({}), ['body > entries > gpt > tpm'], 0],
    ['a key of our own fails', entry({ cache: 1 }), entry({ rpm: 1 }), ['body > entries > gpt > rpm'], 0],
    [
      'a value on the absent side fails',
      entry({ cache: 1 }),
      entry({ cache: 2 }),
      ['body > entries > gpt > cache'],
      1,
    ],
    ['an unused line fails', entry({}), entry({}), [], 1],
    [
      'a star stays within its part',
      entry({ a: { cache: 1 } }),
      entry({ a: {} }),
      ['body > entries > gpt > a > cache'],
      1,
    ],
    ['a list is no object', { body: [1] }, { body: { 0: 1 } }, ['body'], 1],
    ['lists are compared by place', { body: [1, 2] }, { body: [2, 1] }, ['body > 0', 'body > 1'], 1],
    ['null is not absent', { body: null }, {}, ['body'], 1],
    ['a number is not its text', { body: 1 }, { body: '1' }, ['body'], 1],
  ] as const)
    test(name, () => assert.deepEqual(compare(litellm, ours), { unlisted, unused }))

  test('an alternative that nothing needs makes its line unused', () => {
    const both = [{ ...line, path: 'body > entries > * > cache|voice' }]
    assert.deepEqual(compare(entry({ cache: 1 }), entry({}), both), { unlisted: [], unused: 1 })
    assert.deepEqual(compare(entry({ cache: 1, voice: 2 }), entry({}), both), { unlisted: [], unused: 0 })
  })

  test('a line for another step does not count', () => {
    assert.deepEqual(compare(entry({ cache: 1 }), entry({}), [{ ...line, at: '1/b/*' }]), {
      unlisted: ['body > entries > gpt > cache'],
      unused: 1,
    })
  })

  test('a text may be matched by a part, and must be that part', () => {
    const text = { ...line, path: 'body', litellm: 'litellm.*', ours: '*answered 4*' }
    assert.deepEqual(compare({ body: 'litellm.X: no' }, { body: 'a: answered 429.' }, [text]).unlisted, [])
    assert.deepEqual(compare({ body: 'litellm.X: no' }, { body: 'a: answered 500.' }, [text]).unlisted, [
      'body',
    ])
  })
})
