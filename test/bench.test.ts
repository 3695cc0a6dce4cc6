import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ratios, shownSpread, spreadOf, table, verdict } from '../bench/figures.ts'
import { chatRequest, wholeAnswer } from '../bench/messages.ts'
import { recordLine } from '../bench/record.ts'
import { growth, reportSoak } from '../bench/soak.ts'
import { scanObject } from '../src/core/json-spans.ts'

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

test('memory that stays is told from memory that grows', () => {
  const minuteMs = 60_000
  const flat = Array.from({ length: 60 }, (_, at) => ({ atMs: at * minuteMs, rssMb: 100 + (at % 2) }))
  const rising = flat.map((sample, at) => ({ ...sample, rssMb: 100 + 3 * at }))
  const settled = flat.map((sample, at) => ({ ...sample, rssMb: Math.min(150, 100 + 3 * at) }))
  assert.ok(Math.abs(growth(flat).slopeMbPerMinute) < 0.01)
  assert.ok(Math.abs(growth(rising).slopeMbPerMinute - 3) < 0.001)
  assert.deepEqual(growth(settled), { earlyMb: 125.5, middleMb: 150, lateMb: 150, slopeMbPerMinute: 0 })
  assert.deepEqual(growth([{ atMs: 5, rssMb: 90 }]), {
    earlyMb: 90,
    middleMb: 90,
    lateMb: 90,
    slopeMbPerMinute: 0,
  })
})

test('a soak is reported in two lines', () => {
  const result = { seconds: 60, requests: 9000, failures: 0, earlyMb: 120, middleMb: 131, lateMb: 130.6 }
  assert.equal(
    reportSoak({ ...result, slopeMbPerMinute: -0.44 }),
    'soak: 9000 mixed requests in 60 s, 0 failed\n' +
      'RSS 120 MB early, 131 MB in the middle, 131 MB at the end; second half -0.4 MB a minute',
  )
})

test('a run is recorded as one line, with ratios of the same round and the worst of what disturbs', () => {
  const window = (cpuUs: number, foreign: number) => ({
    cpuUs,
    perSecond: 1000,
    p50Us: 100,
    p99Us: 200,
    rssMb: 50 + cpuUs,
    busy: 1,
    foreign,
    failures: 1,
  })
  const facts = {
    date: '2026-11-23T09:00:00.000Z',
    machine: '2 × CPU',
    node: 'v24.0.0',
    versions: { nginx: '1' },
    commit: 'abc+',
    options: [],
  }
  const line = recordLine(facts, {
    memory: { idleMb: 90.123, loadedMb: 140 },
    results: [
      {
        title: 'small',
        measured: [
          { name: 'nginx', windows: [window(10, 0), window(20, 0)] },
          { name: 'pulsegate', windows: [window(40, 0.1), window(60, 0.3)] },
        ],
      },
    ],
    soak: undefined,
  })
  assert.doesNotMatch(line, /\n/)
  const read: unknown = JSON.parse(line)
  const shared = { rounds: 2, perSecond: 1000, p50Us: 100, p99Us: 200, failures: 2 }
  assert.deepEqual(read, {
    ...facts,
    memory: { idleMb: 90.12, loadedMb: 140 },
    scenarios: [
      {
        title: 'small',
        contestants: [
          { name: 'nginx', cpuUs: 15, times: { pulsegate: 0.29 }, rssMb: 70, foreign: 0, ...shared },
          { name: 'pulsegate', cpuUs: 50, times: { nginx: 3.5 }, rssMb: 110, foreign: 0.3, ...shared },
        ],
      },
    ],
  })
})
