import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { ratios, shownSpread, spreadOf, table, verdict } from '../bench/figures.ts'
import type { Findings } from '../bench/findings.ts'
import { lookInside } from '../bench/inside.ts'
import { largeConfig } from '../bench/large-config.ts'
import { chatRequest, wholeAnswer } from '../bench/messages.ts'
import { readOptions } from '../bench/options.ts'
import type { LoopSeen } from '../bench/order.ts'
import { pressOf, refusalsOf, type PressWindow } from '../bench/overload.ts'
import { withResults } from '../bench/page.ts'
import { recordLine } from '../bench/record.ts'
import { TITLES } from '../bench/scenarios.ts'
import { growth, reportSoak } from '../bench/soak.ts'
import { reportDuties } from '../bench/switched-on.ts'
import { gradeOf, verdicts } from '../bench/targets.ts'
import { scanObject } from '../src/core/json-spans.ts'
import { freePort } from './e2e/program.ts'

test('the middle of an even number of rounds lies between the two in the middle', () => {
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4 })
  assert.deepEqual(spreadOf([9, 1, 5]), { median: 5, least: 1, most: 9 })
})

test('a ratio compares values of the same round', () => {
  assert.deepEqual(ratios([20, 60, 40], [10, 20, 40]), { median: 2, least: 1, most: 3 })
})

test('a difference that is larger than its own spread is a verdict', () => {
  assert.equal(verdict([20, 21, 22], [10, 10, 10], 'µs'), '+11.0 µs (10.0 … 12.0)')
  assert.equal(verdict([10, 10, 10], [20, 21, 22], 'µs'), '−11.0 µs (-12.0 … -10.0)')
})

test('rounds that differ by more than the contestants do give no verdict', () => {
  assert.equal(
    verdict([10, 15, 20], [10, 12, 13], 'µs'),
    'no verdict (+3.0 µs, but the rounds differ by 7.0)',
  )
})

test('a spread is shown with its ends, and columns stand under each other', () => {
  assert.equal(shownSpread({ median: 2, least: 1.25, most: 3 }, 1), '2.0 (1.3–3.0)')
  assert.equal(
    table([
      ['', 'µs'],
      ['nginx', '10'],
    ]),
    '       µs\nnginx  10',
  )
})

for (const [kind, least, most] of [
  ['small', 590, 610],
  ['large', 100_000, 104_000],
  ['large, model last', 100_000, 104_000],
  ['huge', 1_000_000, 1_040_000],
  ['stream', 600, 630],
] as const)
  test(`the ${kind} request is valid and as large as it is said to be`, () => {
    const request = chatRequest(kind, 1234)
    const body = request.subarray(request.indexOf('\r\n\r\n') + 4)
    assert.ok(body.length >= least && body.length <= most, `${body.length} bytes`)
    JSON.parse(body.toString())
    const { members } = scanObject(body)
    assert.equal(members.at(kind === 'large, model last' ? -1 : 0)?.key, 'model')
    assert.match(request.toString(), new RegExp(`\r\ncontent-length: ${body.length}\r\n`))
  })

test('the answer holds 800 bytes of JSON', () => {
  const answer = wholeAnswer()
  const body = answer.subarray(answer.indexOf('\r\n\r\n') + 4)
  JSON.parse(body.toString())
  assert.ok(Math.abs(body.length - 800) <= 40, `${body.length} bytes`)
})

test('memory that stays is told from memory that grows, by requests', () => {
  const sample = (at: number, rssMb: number) => ({ atMs: at * 60_000, requests: at * 100_000, rssMb })
  const sixty = Array.from({ length: 60 }, (_, at) => at)
  const flat = growth(sixty.map((at) => sample(at, 100 + (at % 2))))
  assert.ok(Math.abs(flat.slopeMbPerMinute) < 0.01)
  assert.ok(Math.abs(flat.growthMb) < 1)
  const rising = growth(sixty.map((at) => sample(at, 100 + 3 * at)))
  assert.ok(Math.abs(rising.slopeMbPerMinute - 3) < 0.001)
  assert.ok(Math.abs(rising.slopeMbPer100k - 3) < 0.001)
  assert.equal(rising.growthMb, 3 * 24)
  const settled = growth(sixty.map((at) => sample(at, Math.min(150, 100 + 3 * at))))
  assert.deepEqual(settled, {
    earlyMb: 125.5,
    middleMb: 150,
    lateMb: 150,
    growthMb: 0,
    slopeMbPerMinute: 0,
    slopeMbPer100k: 0,
  })
  assert.equal(growth([sample(1, 90)]).growthMb, 0)
})

test('half of a soak is half of its requests, not of its time', () => {
  const slowStart = [
    { atMs: 60_000, requests: 100, rssMb: 100 },
    { atMs: 120_000, requests: 200, rssMb: 110 },
    { atMs: 121_000, requests: 600, rssMb: 130 },
    { atMs: 122_000, requests: 1000, rssMb: 131 },
  ]
  assert.equal(growth(slowStart).growthMb, 1)
})

const SOAKED = {
  seconds: 60,
  requests: 9000,
  failures: {},
  earlyMb: 120,
  middleMb: 131,
  lateMb: 130.6,
  growthMb: -0.4,
  slopeMbPerMinute: -0.44,
  slopeMbPer100k: -0.1,
}

test('a soak is reported in three lines', () => {
  const found = { rssMb: 131, heapUsedMb: 33.31, externalMb: 37.4 }
  const collected = { rssMb: 120, heapUsedMb: 19, externalMb: 11 }
  assert.equal(
    reportSoak({ ...SOAKED, inside: { found, collected } }),
    'soak: 9000 mixed requests in 60 s, none failed\n' +
      'RSS 120 MB early, 131 MB in the middle, 131 MB at the end: -0.4 MB over the second half; ' +
      'its slope -0.4 MB a minute, -0.1 MB for 100,000 requests\n' +
      'at the end: RSS 131, heap 33.3, external 37.4 MB; collected: RSS 120, heap 19.0, external 11.0 MB',
  )
})

test('a soak names what failed', () => {
  const report = reportSoak({ ...SOAKED, failures: { small: 2, streams: 1 }, inside: undefined })
  assert.match(report, /^soak: 9000 mixed requests in 60 s, FAILED: 2 small, 1 streams\n/)
  assert.match(report, /\nheap: could not be asked$/)
})

test('a process is looked into without having been started for it', async () => {
  const port = await freePort()
  const script = "const kept = Buffer.alloc(5e6, 1); setInterval(() => kept.length, 1000); console.log('up')"
  const child = spawn(process.execPath, [`--inspect-port=127.0.0.1:${port}`, '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    await once(child.stdout, 'data')
    const { found, collected } = await lookInside(child.pid ?? 0, port)
    assert.ok(found.rssMb > 20 && found.heapUsedMb > 1, JSON.stringify(found))
    assert.ok(collected.externalMb >= 5, JSON.stringify(collected))
  } finally {
    child.kill('SIGKILL')
  }
})

const LOOP: LoopSeen = {
  inTime: 0,
  begun: 100,
  refused: {},
  retryAfter: 0,
  broken: 0,
  late: 0,
  lateByGenerator: 0,
  neverBegun: 0,
}
const PRESSED: PressWindow = {
  ...LOOP,
  perSecond: 800,
  askedPerSecond: 3000,
  p50Us: 10,
  p99Us: 2_000_000,
  loadBusy: 0.2,
  upstreamBusy: 0.1,
  foreign: 0,
}

test('goodput is a share of the peak of the same round', () => {
  const windows = [PRESSED, { ...PRESSED, perSecond: 500 }]
  assert.deepEqual(pressOf('x', windows, [1000, 500]).goodput, [0.8, 1])
})

test('a refusal is honest where it is a 503 that says when to come back', () => {
  const window = { ...PRESSED, refused: { 503: 5, 429: 2 }, retryAfter: 4, broken: 1 }
  assert.deepEqual(refusalsOf([window, PRESSED]), { count: 7, dishonest: 4 })
})

test('a large config has as many deployments as asked for, and names its misspelt keys', () => {
  const { text, places } = largeConfig(100, 'http://127.0.0.1:1/v1', 3)
  assert.equal(text.match(/model_name:/g)?.length, 100)
  assert.equal(places.length, 3)
  assert.equal(largeConfig(10, 'http://127.0.0.1:1/v1', 0).places.length, 0)
})

test('options are read, and nonsense is refused', () => {
  assert.deepEqual(readOptions(['--full']).soak, { requests: 1_000_000 })
  assert.equal(readOptions(['--full']).peers, true)
  assert.deepEqual(readOptions(['--soak', '140s']).soak, { seconds: 140 })
  assert.equal(readOptions([]).soak, undefined)
  assert.throws(() => readOptions(['--soak', 'long']), /requests \(1000000\) or seconds \(140s\)/)
  assert.throws(() => readOptions(['--rounds', 'x']), /a number, please/)
})

test('what was seen at work is said, and what was not', () => {
  const duties = [
    { name: 'key check', isSeen: true },
    { name: 'metrics', isSeen: false },
    { name: 'call id', isSeen: true },
  ]
  assert.equal(
    reportDuties(duties),
    'pulsegate, default settings, seen at work: key check, call id.\nNot seen: metrics.',
  )
})

const WINDOW = {
  cpuUs: 10,
  perSecond: 1000,
  p50Us: 100,
  p99Us: 200,
  rssMb: 60,
  busy: 1,
  foreign: 0,
  failures: 1,
}
const NOTHING: Findings = {
  duties: [],
  memory: undefined,
  results: [],
  overload: undefined,
  starts: undefined,
  soak: undefined,
}

test('a target is judged by its bound, at most or at least, and by nothing where nothing was measured', () => {
  const most = { figure: 'x', must: 7.5, aim: 5, unit: '×' }
  assert.deepEqual(
    [5, 5.1, 7.6, undefined].map((measured) => gradeOf({ ...most, measured })),
    ['aim', 'ok', 'MISSED', 'not measured'],
  )
  const least = { figure: 'x', must: 8, aim: 12, unit: '×', isFloor: true } as const
  assert.deepEqual(
    [12, 8, 7.9].map((measured) => gradeOf({ ...least, measured })),
    ['aim', 'ok', 'MISSED'],
  )
})

test('every figure with a target finds its measurement', () => {
  const contestants = (own: number) => [
    { name: 'nginx', windows: [WINDOW] },
    { name: 'portkey', windows: [{ ...WINDOW, cpuUs: 900 }] },
    { name: 'litellm', windows: [{ ...WINDOW, cpuUs: 9000 }] },
    { name: 'pulsegate', windows: [{ ...WINDOW, cpuUs: own, p50Us: 400, p99Us: 1200 }] },
  ]
  const press = pressOf('x', [{ ...PRESSED, refused: { 429: 10 } }], [1000])
  const all = verdicts({
    ...NOTHING,
    memory: { idleMb: 90, loadedMb: 140 },
    results: Object.values(TITLES).map((title) => ({ title, measured: contestants(45) })),
    overload: { peaks: [1000], presses: [press, press, press] },
    starts: [
      { name: 'small', title: '', firstAnswerMs: [300], rssMb: [90] },
      { name: 'large', title: '', firstAnswerMs: [1200], rssMb: [149] },
    ],
    soak: { ...SOAKED, inside: undefined },
  })
  const pressed = [80, 2, 10]
  assert.deepEqual(
    all.map(({ measured }) => measured),
    [
      4.5,
      4.5,
      4.5,
      4.5,
      4.5,
      20,
      20,
      200,
      200,
      0.3,
      1,
      0.3,
      1.2,
      90,
      140,
      149,
      -0.4,
      ...pressed,
      ...pressed,
      ...pressed,
    ],
  )
  assert.deepEqual(
    verdicts(NOTHING).map(({ measured }) => measured),
    all.map(() => undefined),
  )
})

const FACTS = {
  date: '2026-11-23T09:00:00.000Z',
  machine: '2 × CPU',
  node: 'v24.0.0',
  versions: { nginx: '1' },
  commit: 'abc+',
  options: [],
}

test('a page gets the figures of a run in place of the last ones, and keeps what stands around them', () => {
  const [begin, end] = [
    '<!-- written by npm run bench -- --write-docs -->',
    '<!-- end of what is written -->',
  ]
  const findings: Findings = {
    ...NOTHING,
    duties: [{ name: 'key check', isSeen: true }],
    results: [
      {
        title: TITLES.small,
        measured: [
          { name: 'nginx', windows: [WINDOW] },
          { name: 'pulsegate', windows: [{ ...WINDOW, cpuUs: 45, foreign: 0.2 }] },
        ],
      },
    ],
  }
  const page = withResults(`# Before\n\n${begin}\nold figures\n${end}\n\nAfter\n`, FACTS, findings)
  assert.ok(
    page.startsWith(`# Before\n\n${begin}\n\n2026-11-23, 2 × CPU, Node v24.0.0, commit abc+: nginx (1). `),
  )
  assert.ok(page.endsWith(`\n\n${end}\n\nAfter\n`))
  assert.doesNotMatch(page, /old figures/)
  assert.match(page, /Others took up to 20 % of the contestants' core in the worst window\./)
  assert.match(page, /Seen at work .*: key check\. Not seen: nothing\./)
  assert.match(page, /\| CPU, 600 B \| ≤ 7\.5 \| ≤ 5 \| 4\.50 × nginx \| aim \|/)
  assert.ok(
    page.includes(
      `| scenario | nginx | pulsegate |\n|---|---|---|\n| ${TITLES.small} | 10.0 | 45.0 (4.5 (4.5–4.5)) |`,
    ),
  )
  assert.equal(withResults(page, FACTS, findings), page)
  assert.throws(() => withResults('# No marks', FACTS, findings), /the page has no/)
})

test('a run is recorded as one line, with ratios of the same round and the worst of what disturbs', () => {
  const window = (cpuUs: number, foreign: number) => ({ ...WINDOW, cpuUs, foreign, rssMb: 50 + cpuUs })
  const line = recordLine(FACTS, {
    ...NOTHING,
    duties: [
      { name: 'key check', isSeen: true },
      { name: 'metrics', isSeen: false },
    ],
    memory: { idleMb: 90.123, loadedMb: 140 },
    results: [
      {
        title: TITLES.small,
        measured: [
          { name: 'nginx', windows: [window(10, 0), window(20, 0)] },
          { name: 'pulsegate', windows: [window(40, 0.1), window(60, 0.3)] },
        ],
      },
    ],
    overload: {
      peaks: [1000],
      presses: [pressOf('open', [{ ...PRESSED, refused: { 503: 5 }, retryAfter: 5 }], [1000])],
    },
  })
  assert.doesNotMatch(line, /\n/)
  const read: unknown = JSON.parse(line)
  const shared = { rounds: 2, perSecond: 1000, p50Us: 100, p99Us: 200, failures: 2 }
  const judged = { must: 7.5, aim: 5, unit: '× nginx', measured: 3.5, grade: 'aim' }
  assert.partialDeepStrictEqual(read, {
    ...FACTS,
    on: ['key check'],
    off: ['metrics'],
    memory: { idleMb: 90.12, loadedMb: 140 },
    scenarios: [
      {
        title: TITLES.small,
        contestants: [
          { name: 'nginx', cpuUs: 15, times: { pulsegate: 0.29 }, rssMb: 70, foreign: 0, ...shared },
          { name: 'pulsegate', cpuUs: 50, times: { nginx: 3.5 }, rssMb: 110, foreign: 0.3, ...shared },
        ],
      },
    ],
    overload: [
      { name: 'open', goodput: 0.8, p99Us: 2_000_000, begun: 100, refused: 5, dishonest: 0, neverBegun: 0 },
    ],
    targets: [{ figure: 'CPU, 600 B', ...judged }],
  })
})
