import type { Cancel, Clock } from '../../core/clock.ts'
import { asGatewayError } from '../../core/failure.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import type { Stream } from '../road.ts'

/** Where an attempt in a race tells what becomes of it; `F`: a failure before its first byte. */
export interface Lane<F> extends Pick<RelayAnswer, 'head' | 'data' | 'end' | 'fail'> {
  /** It failed before its first byte; `fail` is for what comes after it. */
  lost(failed: F): void
}

/** An attempt, and a second one where the first is slow. */
export interface Race<F> {
  /** Where the first good answer goes. */
  readonly answer: Pick<RelayAnswer, 'head' | 'data' | 'end' | 'fail'>
  readonly clock: Pick<Clock, 'after' | 'elapsed'>
  /** When the second one begins, unless a byte has come; undefined: never. */
  readonly afterMs: number | undefined
  readonly first: (lane: Lane<F>) => Stream
  /** Undefined: nobody can or may be asked. */
  readonly second: (lane: Lane<F>) => Stream | undefined
  /** This one answers. */
  readonly won: (isSecond: boolean) => void
  /** An attempt took so long to its first byte, or at least so long where the second one was faster. */
  readonly saw: (firstByteMs: number) => void
  /** No other attempt can make up for this failure. */
  readonly isFinal: (failed: F) => boolean
  /** One failed while the other goes on. */
  readonly missed: (failed: F) => void
  /** Nothing runs any more, and nothing was answered. */
  readonly failed: (failed: F) => void
}

interface Runner {
  readonly sinceMs: number
  stream: Stream | undefined
  isRunning: boolean
}

interface Course<F> {
  readonly given: Race<F>
  readonly runners: Runner[]
  winner: Runner | undefined
  isOver: boolean
  stopTimer: Cancel | undefined
}

/** Told on the answer of a request that went to two deployments. */
const HEDGED = { 'x-pulsegate-hedged': 'true' }

/**
 * Runs it: the first good byte decides who answers, and the other one is cancelled at once. Exactly one of the answer's
 * ends and `failed` is called, however many attempts there were.
 */
export function race<F>(given: Race<F>): Stream {
  const course: Course<F> = {
    given,
    runners: [],
    winner: undefined,
    isOver: false,
    stopTimer: undefined,
  }
  run(course, given.first)
  if (given.afterMs !== undefined && !course.isOver)
    course.stopTimer = given.clock.after(given.afterMs, () => second(course))
  return {
    resume: () => course.winner?.stream?.resume(),
    cancel: () => {
      course.stopTimer?.()
      for (const runner of course.runners) cancel(runner)
    },
  }
}

/** What our own code throws here ends all of it. */
function second<F>(course: Course<F>): void {
  try {
    run(course, course.given.second)
  } catch (thrown) {
    end(course)
    course.given.answer.fail(asGatewayError(thrown), {})
  }
}

function run<F>(course: Course<F>, start: (lane: Lane<F>) => Stream | undefined): void {
  const { given, runners } = course
  const runner: Runner = { sinceMs: given.clock.elapsed(), stream: undefined, isRunning: true }
  runners.push(runner)
  runner.stream = start(laneOf(course, runner))
  if (runner.stream === undefined) runners.pop()
}

function laneOf<F>(course: Course<F>, runner: Runner): Lane<F> {
  const { given, runners } = course
  const { answer } = given
  return {
    head: (status, headers, copies) => {
      if (course.isOver) return
      won(course, runner)
      answer.head(status, runners.length > 1 ? { ...headers, ...HEDGED } : headers, copies)
    },
    data: (chunk) => (course.winner === runner ? answer.data(chunk) : true),
    end: (facts) => {
      runner.isRunning = false
      if (course.winner === runner) answer.end(facts)
    },
    fail: (failure, route) => {
      runner.isRunning = false
      if (course.winner === runner) answer.fail(failure, route)
    },
    lost: (failed) => {
      runner.isRunning = false
      if (course.isOver) return
      if (runners.some(({ isRunning }) => isRunning) && !given.isFinal(failed)) {
        given.missed(failed)
        return
      }
      end(course)
      given.failed(failed)
    },
  }
}

function won<F>(course: Course<F>, runner: Runner): void {
  const { given, runners } = course
  const [first] = runners
  const now = given.clock.elapsed()
  course.winner = runner
  given.won(runner !== first)
  // What a second one had taken until the first one answered says nothing of the usual.
  if (runner !== first && first?.isRunning === true) given.saw(now - first.sinceMs)
  given.saw(now - runner.sinceMs)
  end(course)
}

/** Nothing more is begun, and who has not won is cancelled. */
function end<F>(course: Course<F>): void {
  course.isOver = true
  course.stopTimer?.()
  for (const runner of course.runners) if (runner !== course.winner) cancel(runner)
}

function cancel({ isRunning, stream }: Runner): void {
  if (isRunning) stream?.cancel()
}
