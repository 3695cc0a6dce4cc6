import type { HealthState } from '../../src/core/health.ts'
import type { Transition } from '../../src/health/engine/standings.ts'
import type { Model } from './fleet.ts'

/** What a day came to. Times are milliseconds. */
export interface DayFigures {
  readonly paidProbes: number
  readonly freeProbes: number
  readonly dollars: number
  /** From the first failure of an outage to the deployment being out of rotation. */
  readonly detected: readonly number[]
  /** From the first call that a hung engine never answered to its being out of rotation. */
  readonly hangs: readonly number[]
  /** From the end of an outage to the first traffic that may come back. */
  readonly returned: readonly number[]
  /** Taken out while nothing was wrong with it. */
  readonly falseEjections: number
  readonly requests: number
  /** Requests that failed at a sick deployment. */
  readonly failures: number
  /** Requests that nobody was asked with. */
  readonly refused: number
  /** Outages that ended before anybody noticed. */
  readonly unnoticed: number
  /** Looks at a deployment that was being looked at already. */
  readonly duplicates: number
}

/** Keeps the truth beside what the engine holds for true. */
export interface Referee {
  requested(index: number, at: number): void
  refused(): void
  failed(index: number, at: number): void
  probed(rung: 'free' | 'paid', dollars: number): void
  duplicate(): void
  transition(index: number, transition: Transition): void
  figures(): DayFigures
}

/** Late symptoms of an outage that is over: calls that began in it. */
const AFTERMATH_MS = 1000
const OUT: ReadonlySet<HealthState> = new Set<HealthState>(['DOWN', 'SATURATED', 'MISCONFIGURED', 'ISOLATED'])

interface Course {
  firstCall: number | undefined
  firstFailure: number | undefined
  outAt: number | undefined
  backAt: number | undefined
  isOut: boolean
}

/** Makes a referee who knows the script. */
export function createReferee(models: readonly Model[]): Referee {
  const courses = models.map(
    (): Course => ({
      firstCall: undefined,
      firstFailure: undefined,
      outAt: undefined,
      backAt: undefined,
      isOut: false,
    }),
  )
  const counts = { paid: 0, free: 0, dollars: 0, requests: 0, failures: 0, refused: 0, false: 0, duplicates: 0 }
  const sickAt = (index: number, at: number, graceMs: number): boolean => {
    const outage = models[index]?.outage
    return outage !== undefined && at >= outage.from && at < outage.to + graceMs
  }
  return {
    requested: (index, at) => {
      counts.requests += 1
      const course = courses[index]
      if (course !== undefined && sickAt(index, at, 0)) course.firstCall ??= at
    },
    refused: () => {
      counts.refused += 1
    },
    failed: (index, at) => {
      const course = courses[index]
      if (course === undefined || !sickAt(index, at, 0)) return
      counts.failures += 1
      course.firstFailure ??= at
    },
    probed: (rung, dollars) => {
      if (rung === 'paid') counts.paid += 1
      else counts.free += 1
      counts.dollars += dollars
    },
    duplicate: () => {
      counts.duplicates += 1
    },
    transition: (index, { to, at }) => {
      const course = courses[index]
      const outage = models[index]?.outage
      if (course === undefined) return
      const isOut = OUT.has(to)
      const wasOut = course.isOut
      course.isOut = isOut
      if (isOut && !wasOut) {
        if (outage !== undefined && at >= outage.from && at < outage.to) course.outAt ??= at
        if ((to === 'DOWN' || to === 'MISCONFIGURED') && !sickAt(index, at, AFTERMATH_MS)) counts.false += 1
      }
      if (!isOut && wasOut && outage !== undefined && at >= outage.to && course.outAt !== undefined)
        course.backAt ??= at
    },
    figures: () => figuresOf(models, courses, counts),
  }
}

function figuresOf(
  models: readonly Model[],
  courses: readonly Course[],
  counts: Readonly<Record<'paid' | 'free' | 'dollars' | 'requests' | 'failures' | 'refused' | 'false' | 'duplicates', number>>,
): DayFigures {
  const detected: number[] = []
  const hangs: number[] = []
  const returned: number[] = []
  let unnoticed = 0
  courses.forEach(({ firstCall, firstFailure, outAt, backAt }, index) => {
    const outage = models[index]?.outage
    if (outage === undefined) return
    if (outAt === undefined) {
      unnoticed += 1
      return
    }
    if (firstFailure !== undefined) detected.push(Math.max(outAt - firstFailure, 0))
    if (outage.sickness === 'hang' && firstCall !== undefined) hangs.push(Math.max(outAt - firstCall, 0))
    // Out and back before the end is no return.
    if (backAt !== undefined) returned.push(backAt - outage.to)
  })
  return {
    paidProbes: counts.paid,
    freeProbes: counts.free,
    dollars: counts.dollars,
    detected,
    hangs,
    returned,
    falseEjections: counts.false,
    requests: counts.requests,
    failures: counts.failures,
    refused: counts.refused,
    unnoticed,
    duplicates: counts.duplicates,
  }
}
