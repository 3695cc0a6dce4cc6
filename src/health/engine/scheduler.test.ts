import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { createHandClock } from '../../core/clock.ts'
import { createAdmission } from './admission.ts'
import type { AdmissionRules, Job } from './admission.ts'
import { createDueHeap } from './due-heap.ts'
import { createScheduler } from './scheduler.ts'

const RULES: AdmissionRules = {
  total: 4,
  perHost: () => 2,
  perCredential: 2,
  perSecond: () => 1000,
  burst: 1000,
}

function makeJob(index: number, changes: Partial<Job> = {}): Job {
  return { index, host: index, credential: index, priority: 3, ...changes }
}

describe('the heap', () => {
  test('after any changes whoever is due first comes first', () => {
    const change = fc.record({ index: fc.nat(30), at: fc.option(fc.nat(1000)) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const heap = createDueHeap(31)
        const plain = new Map<number, number>()
        for (const { index, at } of changes) {
          if (at === null) {
            heap.remove(index)
            plain.delete(index)
          } else {
            heap.set(index, at)
            plain.set(index, at)
          }
          const first = heap.first()
          const least = Math.min(...plain.values())
          assert.equal(first === undefined ? Infinity : heap.at(first), least)
          assert.equal(heap.size(), plain.size)
        }
        const order: number[] = []
        for (let first = heap.first(); first !== undefined; first = heap.first()) {
          order.push(heap.at(first))
          heap.remove(first)
        }
        assert.deepEqual(
          order,
          [...plain.values()].sort((a, b) => a - b),
        )
      }),
    )
  })
})

describe('admission', () => {
  function drain(admission: ReturnType<typeof createAdmission>, now: number): readonly number[] {
    const begun: number[] = []
    for (let job = admission.next(now); job !== undefined; job = admission.next(now)) begun.push(job.index)
    return begun
  }

  test('the suspect goes before the dead, the unknown and the idle', () => {
    const admission = createAdmission(RULES)
    for (const priority of [3, 2, 1, 0] as const) admission.offer(makeJob(priority, { priority }), 0)
    assert.deepEqual(drain(admission, 0), [0, 1, 2, 3])
  })

  test('whoever has waited half a minute goes before a fresh suspect: nobody starves', () => {
    const admission = createAdmission(RULES)
    admission.offer(makeJob(1, { priority: 3 }), 0)
    admission.offer(makeJob(2, { priority: 0 }), 30_001)
    assert.deepEqual(drain(admission, 30_001), [1, 2])
  })

  test('a busy host delays no other', () => {
    const admission = createAdmission(RULES)
    for (const index of [0, 1, 2, 3]) admission.offer(makeJob(index, { host: 9, priority: 0 }), 0)
    admission.offer(makeJob(4, { priority: 3 }), 0)
    assert.deepEqual(drain(admission, 0), [0, 1, 4])
    admission.release(makeJob(0, { host: 9 }))
    assert.deepEqual(drain(admission, 0), [2])
  })

  test('one that waits for its key leaves its place at the host to the next, and the other way round', () => {
    const admission = createAdmission({ ...RULES, total: 9, perHost: () => 1, perCredential: 1 })
    const at = (index: number, host: number, credential: number) => makeJob(index, { host, credential })
    for (const job of [at(0, 9, 3), at(1, 8, 1), at(2, 9, 1), at(3, 9, 2)]) admission.offer(job, 0)
    assert.deepEqual(drain(admission, 0), [0, 1])
    admission.release(at(0, 9, 3))
    assert.deepEqual(drain(admission, 0), [3])

    const other = createAdmission({ ...RULES, total: 9, perHost: () => 1, perCredential: 1 })
    for (const job of [at(0, 9, 1), at(1, 8, 1), at(2, 8, 1), at(3, 7, 1)]) other.offer(job, 0)
    assert.deepEqual(drain(other, 0), [0])
    other.offer(at(4, 8, 5), 0)
    assert.deepEqual(drain(other, 0), [4])
    other.release(at(0, 9, 1))
    assert.deepEqual(drain(other, 0), [3])
  })

  test('an engine that can do one thing at a time is asked one thing at a time', () => {
    const admission = createAdmission({ ...RULES, perHost: () => 1 })
    for (const index of [0, 1]) admission.offer(makeJob(index, { host: 9 }), 0)
    assert.deepEqual(drain(admission, 0), [0])
  })

  test('in any window a key has no more new looks than its allowance and its burst', () => {
    const rules: AdmissionRules = { ...RULES, total: 1000, perHost: () => 1000, perSecond: () => 2, burst: 3 }
    fc.assert(
      fc.property(fc.array(fc.nat(800), { maxLength: 60 }), (gaps) => {
        const admission = createAdmission(rules)
        const begun: number[] = []
        let now = 0
        gaps.forEach((gap, index) => {
          now += gap
          admission.offer(makeJob(index, { credential: 1 }), now)
          for (let job = admission.next(now); job !== undefined; job = admission.next(now)) {
            begun.push(now)
            admission.release(job)
          }
        })
        begun.forEach((from, position) => {
          const within = begun.slice(position).filter((at) => at <= from + 2000).length
          assert.ok(within <= 3 + 4, `${within} looks in 2 s`)
        })
        if (admission.waiting() > 0) assert.ok(admission.wakeAt() <= now + 500)
      }),
    )
  })

  test('whatever is offered begins once, and limits hold at every moment', () => {
    const job = fc.record({ host: fc.nat(3), credential: fc.nat(3), priority: fc.constantFrom(0, 1, 2, 3) })
    fc.assert(
      fc.property(fc.array(job, { maxLength: 60 }), fc.array(fc.nat(3)), (jobs, releases) => {
        const admission = createAdmission(RULES)
        const running: Job[] = []
        const begun: number[] = []
        let now = 0
        const serve = (): void => {
          for (let next = admission.next(now); next !== undefined; next = admission.next(now)) {
            running.push(next)
            begun.push(next.index)
          }
          assert.ok(running.length <= 4)
          for (const each of running) {
            assert.ok(running.filter(({ host }) => host === each.host).length <= 2)
            assert.ok(running.filter(({ credential }) => credential === each.credential).length <= 2)
          }
        }
        jobs.forEach((each, index) => {
          now += 1
          admission.offer({ ...each, index }, now)
          serve()
          const [done] = running.splice(releases[index] ?? running.length, 1)
          if (done !== undefined) admission.release(done)
          serve()
        })
        for (let done = running.shift(); done !== undefined; done = running.shift()) {
          now += 1
          admission.release(done)
          serve()
        }
        assert.deepEqual(
          [...begun].sort((a, b) => a - b),
          jobs.map((_, index) => index),
        )
        assert.deepEqual([admission.waiting(), admission.running()], [0, 0])
      }),
    )
  })
})

describe('the scheduler', () => {
  /** Deployments that are due each `intervalMs` after `lastAt`. */
  function createWorld(count: number, tookMs: number, admission: Partial<AdmissionRules> = {}) {
    const clock = createHandClock()
    const lastAt = new Float64Array(count)
    const launches: { readonly index: number; readonly at: number }[] = []
    const scheduler = createScheduler({
      count,
      clock,
      random: () => 0.5,
      plan: (index) => ({ at: (lastAt[index] ?? 0) + 10_000, rung: 4, purpose: 'idle' }),
      wakeAt: () => Infinity,
      wake: () => {},
      jobOf: (index) => makeJob(index),
      launch: (index, _plan, now) => {
        launches.push({ index, at: now })
        clock.after(tookMs, () => {
          lastAt[index] = clock.elapsed()
          scheduler.done(index)
        })
      },
      admission: { ...RULES, total: 64, ...admission },
    })
    return { clock, lastAt, launches, scheduler }
  }

  test('each is looked at when it is due, counted from the end of its last look', () => {
    const { clock, launches, scheduler } = createWorld(1, 500)
    scheduler.start()
    clock.wind(35_000)
    assert.deepEqual(
      launches.map(({ at }) => at),
      [10_000, 20_500, 31_000],
    )
  })

  test('one timer serves all, and none is left after stop', () => {
    const { clock, scheduler } = createWorld(1000, 500)
    scheduler.start()
    assert.equal(clock.pending(), 1)
    scheduler.stop()
    assert.equal(clock.pending(), 0)
  })

  test('traffic that answered meanwhile spares the look, without having touched the heap', () => {
    const { clock, lastAt, launches, scheduler } = createWorld(1, 500)
    scheduler.start()
    clock.wind(9000)
    lastAt[0] = 9000
    clock.wind(9000)
    assert.deepEqual(launches, [])
    clock.wind(1000)
    assert.deepEqual(
      launches.map(({ at }) => at),
      [19_000],
    )
  })

  test('traffic that answered while a look waited for its turn spares it', () => {
    const { clock, lastAt, launches, scheduler } = createWorld(2, 500, { total: 1 })
    scheduler.start()
    clock.wind(10_000)
    assert.deepEqual([launches.length, scheduler.numbers().waiting], [1, 1])
    lastAt[1] = 10_200
    clock.wind(1000)
    assert.deepEqual([launches.length, scheduler.numbers().spared], [1, 1])
    assert.equal(scheduler.nextAt(1), 20_200)
  })

  test('evidence that makes it due earlier is acted on at once', () => {
    const { clock, lastAt, launches, scheduler } = createWorld(1, 500)
    scheduler.start()
    clock.wind(1000)
    lastAt[0] = -8500
    scheduler.replan(0)
    clock.wind(500)
    assert.deepEqual(
      launches.map(({ at }) => at),
      [1500],
    )
  })

  test('never two at once of one deployment, however it is told to think again', () => {
    const { clock, launches, scheduler } = createWorld(1, 5000)
    scheduler.start()
    clock.wind(10_000)
    for (let each = 0; each < 5; each += 1) {
      scheduler.replan(0)
      clock.wind(500)
    }
    scheduler.done(99)
    assert.equal(launches.length, 1)
  })
})
