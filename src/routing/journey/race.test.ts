import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createHandClock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import { race } from './race.ts'
import type { Lane } from './race.ts'

/** What an attempt does, so long after it began; `breaks` after its first byte. Without a time: nothing, ever. */
interface Script {
  readonly does: 'answers' | 'breaks' | 'fails' | 'fails for good' | 'hangs'
  readonly atMs: number
}

type Which = 'first' | 'second'

interface Ran {
  /** What came of it all, in order. */
  readonly told: string[]
  /** Begun and not over. */
  readonly running: Set<Which>
  readonly begun: Which[]
  readonly ended: Which[]
  /** Who was cancelled, and when. */
  readonly cancelled: string[]
  readonly saw: number[]
  readonly clock: ReturnType<typeof createHandClock>
  readonly cancel: () => void
}

function run(scripts: Readonly<Record<Which, Script | undefined>>, afterMs: number | undefined): Ran {
  const clock = createHandClock()
  const told: string[] = []
  const running = new Set<Which>()
  const begun: Which[] = []
  const ended: Which[] = []
  const cancelled: string[] = []
  const saw: number[] = []
  const start = (which: Which) => (lane: Lane<string>) => {
    const script = scripts[which]
    if (script === undefined) return undefined
    begun.push(which)
    running.add(which)
    let hasBegun = false
    const over = (tell: () => void): void => {
      if (!running.delete(which)) return
      ended.push(which)
      tell()
    }
    const act = (): void => {
      if (!running.has(which)) return
      const { does } = script
      if (does === 'fails' || does === 'fails for good') over(() => lane.lost(`${which} ${does}`))
      if (does !== 'answers' && does !== 'breaks') return
      hasBegun = true
      lane.head(200, { by: which })
      if (does === 'breaks') over(() => lane.fail(new GatewayError('cut', which), {}))
      else over(() => lane.end({ bytes: 0 }))
    }
    if (script.does !== 'hangs') clock.after(script.atMs, act)
    return {
      resume: () => {},
      cancel: () => {
        cancelled.push(`${which} at ${clock.elapsed()}`)
        over(() =>
          hasBegun
            ? lane.fail(new GatewayError('cancelled', which), {})
            : lane.lost(`${which} cancelled for good`),
        )
      },
    }
  }
  const first = start('first')
  const stream = race<string>({
    answer: {
      head: (_, headers) =>
        void told.push(`${headers['by']}${headers['x-pulsegate-hedged'] ? ' hedged' : ''}`),
      data: () => true,
      end: () => void told.push('end'),
      fail: ({ kind }) => void told.push(kind),
    },
    clock,
    afterMs,
    first: (lane) => first(lane) ?? assert.fail(),
    second: start('second'),
    won: () => {},
    saw: (ms) => void saw.push(ms),
    isFinal: (failed) => failed.endsWith('for good'),
    missed: (failed) => void told.push(`missed: ${failed}`),
    failed: (failed) => void told.push(`failed: ${failed}`),
  })
  return { told, running, begun, ended, cancelled, saw, clock, cancel: () => stream.cancel() }
}

const answers = (atMs: number): Script => ({ does: 'answers', atMs })
const hangs: Script = { does: 'hangs', atMs: 0 }

test('a quick answer is nobody else’s business', () => {
  const { clock, told, begun, saw } = run({ first: answers(50), second: answers(0) }, 100)
  clock.wind(1000)
  assert.deepEqual([told, begun, saw, clock.pending()], [['first', 'end'], ['first'], [50], 0])
})

test('where the first hangs the second answers, and the first is cancelled at that moment', () => {
  const { clock, told, cancelled, running, saw } = run({ first: hangs, second: answers(30) }, 100)
  clock.wind(1000)
  assert.deepEqual(told, ['second hedged', 'end'])
  assert.deepEqual(cancelled, ['first at 130'])
  assert.equal(running.size, 0)
  // What the first would have taken is at least what it had.
  assert.deepEqual(saw, [130, 30])
})

test('a first that answers after all wins, and the second is no measure of anything', () => {
  const { clock, told, cancelled, saw } = run({ first: answers(120), second: answers(500) }, 100)
  clock.wind(1000)
  assert.deepEqual(told, ['first hedged', 'end'])
  assert.deepEqual([cancelled, saw], [['second at 120'], [120]])
})

test('while nobody knows what is usual, or nobody else can be asked, the first is waited for', () => {
  for (const [second, afterMs] of [
    [answers(0), undefined],
    [undefined, 100],
  ] as const) {
    const { clock, told, begun } = run({ first: answers(5000), second }, afterMs)
    clock.wind(10_000)
    assert.deepEqual([told, begun], [['first', 'end'], ['first']])
  }
})

test('a failure of one is told only when the other fails too, unless nothing can make up for it', () => {
  const one = run({ first: { does: 'fails', atMs: 150 }, second: answers(100) }, 100)
  one.clock.wind(1000)
  assert.deepEqual(one.told, ['missed: first fails', 'second hedged', 'end'])
  const both = run({ first: { does: 'fails', atMs: 150 }, second: { does: 'fails', atMs: 100 } }, 100)
  both.clock.wind(1000)
  assert.deepEqual(both.told, ['missed: first fails', 'failed: second fails'])
  const final = run({ first: hangs, second: { does: 'fails for good', atMs: 20 } }, 100)
  final.clock.wind(1000)
  assert.deepEqual([final.told, final.cancelled], [['failed: second fails for good'], ['first at 120']])
})

test('a client that leaves cancels both, and before the second begins there is none', () => {
  const late = run({ first: hangs, second: hangs }, 100)
  late.clock.wind(200)
  late.cancel()
  assert.deepEqual(late.cancelled, ['first at 200', 'second at 200'])
  assert.deepEqual(late.told, ['failed: first cancelled for good'])
  const early = run({ first: hangs, second: hangs }, 100)
  early.cancel()
  early.clock.wind(1000)
  assert.deepEqual([early.begun, early.told.length, early.clock.pending()], [['first'], 1, 0])
})

const script: fc.Arbitrary<Script> = fc.record({
  does: fc.constantFrom('answers', 'breaks', 'fails', 'fails for good', 'hangs'),
  atMs: fc.integer({ min: 0, max: 300 }),
})

test('whatever both do and whenever the client leaves, there is one end, and nothing is left running', () => {
  const property = fc.property(
    script,
    fc.option(script, { nil: undefined }),
    fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
    fc.integer({ min: 0, max: 700 }),
    (first, second, afterMs, leavesAtMs) => {
      const ran = run({ first, second }, afterMs)
      ran.clock.wind(leavesAtMs)
      ran.cancel()
      const { told, begun, ended, running, clock } = ran
      assert.equal(running.size, 0)
      assert.deepEqual(ended.toSorted(), begun.toSorted())
      const heads = told.filter((each) => /^(?:first|second)/.test(each))
      const ends = told.filter((each) => /^(?:end|cut|cancelled|failed)/.test(each))
      assert.ok(heads.length <= 1)
      assert.equal(ends.length, 1)
      assert.equal(told.at(-1), ends[0])
      const before = told.length
      clock.wind(10_000)
      assert.deepEqual([told.length, begun.length], [before, ended.length])
    },
  )
  fc.assert(property, { numRuns: 500 })
})
