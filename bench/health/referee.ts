import type { HealthState } from '../../src/core/health.ts'
import type { Transition } from '../../src/health/engine/standings.ts'
import type { Model, Outage, Sickness } from './fleet.ts'

/** What a day came to. Times are milliseconds. */
export interface DayFigures {
  readonly paidProbes: number
  readonly freeProbes: number
  readonly dollars: number
  readonly outages: readonly OutageFigures[]
  /** Taken out while nothing was wrong with it. */
  readonly falseEjections: number
  readonly requests: number
  /** Requests that failed at a sick deployment. */
  readonly failures: number
  /** Requests that nobody was asked with. */
  readonly refused: number
  /** Looks at a deployment that was being looked at already. */
  readonly duplicates: number
}

/** How one outage of one deployment went. Times are milliseconds; absent where it did not come to that. */
export interface OutageFigures {
  readonly sickness: Sickness
  /** From its first failure to its being out of rotation. */
  readonly detectedMs?: number
  /** From the first call that was never answered to its being out of rotation. */
  readonly hangMs?: number
  /** From the end of the outage to the first traffic that may come back. */
  readonly returnedMs?: number
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
  const courses = models.map((): Course => ({
    firstCall: undefined,
    firstFailure: undefined,
    outAt: undefined,
    backAt: undefined,
    isOut: false,
  }))
  const counts = {
    paid: 0,
    free: 0,
    dollars: 0,
    requests: 0,
    failures: 0,
    refused: 0,
    false: 0,
    duplicates: 0,
  }
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
      if (course === undefined) return
      const isOut = OUT.has(to)
      if (isOut !== course.isOut) turned(course, models[index]?.outage, isOut, at)
      if (isOut && !course.isOut && to !== 'SATURATED' && !sickAt(index, at, AFTERMATH_MS)) counts.false += 1
      course.isOut = isOut
    },
    figures: () => figuresOf(models, courses, counts),
  }
}

/** In or out of rotation: the first time in its outage, and the first time after it. */
function turned(course: Course, outage: Outage | undefined, isOut: boolean, at: number): void {
  if (outage === undefined || at < outage.from) return
  if (isOut && at < outage.to) course.outAt ??= at
  if (!isOut && at >= outage.to && course.outAt !== undefined) course.backAt ??= at
}

function figuresOf(
  models: readonly Model[],
  courses: readonly Course[],
  counts: Readonly<
    Record<'paid' | 'free' | 'dollars' | 'requests' | 'failures' | 'refused' | 'false' | 'duplicates', number>
  >,
): DayFigures {
  return {
    paidProbes: counts.paid,
    freeProbes: counts.free,
    dollars: counts.dollars,
    outages: courses.flatMap((course, index) => {
      const outage = models[index]?.outage
      return outage === undefined ? [] : [outageOf(outage, course)]
    }),
    falseEjections: counts.false,
    requests: counts.requests,
    failures: counts.failures,
    refused: counts.refused,
    duplicates: counts.duplicates,
  }
}

function outageOf(
  { sickness, to }: Outage,
  { firstCall, firstFailure, outAt, backAt }: Course,
): OutageFigures {
  if (outAt === undefined) return { sickness }
  // Whoever was taken out with its host or its key before it failed itself was not detected by its own failures.
  const isOwn = firstFailure !== undefined && firstFailure <= outAt
  return {
    sickness,
    ...(isOwn && sickness !== 'hang' && { detectedMs: outAt - firstFailure }),
    ...(sickness === 'hang' && firstCall !== undefined && { hangMs: outAt - firstCall }),
    ...(backAt !== undefined && { returnedMs: backAt - to }),
  }
}
