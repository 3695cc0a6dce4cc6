import type { Candidate } from '../choice/directory.ts'
import { choose } from '../choice/pick.ts'
import type { Plan } from '../choice/plan.ts'
import type { Stream } from '../road.ts'
import { mayRetry } from './attempts.ts'
import type { Waiter } from './connect-share.ts'
import type { HedgedGroup, HedgeGroups } from './hedge-groups.ts'
import type { Failed, Journey } from './journey-parts.ts'
import { race } from './race.ts'
import type { Lane } from './race.ts'
import type { Stay } from './stay.ts'

/** An attempt, ready to be sent. */
interface Attempt {
  readonly candidate: Candidate
  readonly plan: Plan
}

/** What an attempt has that runs in a race. */
export interface Entry {
  readonly lane: Lane<Failed>
  /** Whose time for connections it takes. */
  readonly waiter: Waiter
}

/** The journey's own ways, of which a hedged attempt makes use. */
export interface Ways {
  /** @throws GatewayError */
  plan(journey: Journey, stay: Stay, candidate: Candidate): Plan
  send(journey: Journey, stay: Stay, candidate: Candidate, plan: Plan, entry: Entry): Stream
  failed(journey: Journey, stay: Stay, failed: Failed): void
}

/**
 * How the group hedges that this attempt is for; undefined: it does not, or this request may not go to two at once: it
 * is dear, or what it says can be taken from the client only once, or there is nobody else.
 */
export function hedgingOf(hedges: HedgeGroups, journey: Journey, stay: Stay): HedgedGroup | undefined {
  const { asked, attended } = journey
  if (attended === undefined || asked.operation.isCostly === true) return undefined
  if (asked.form?.form.rest !== undefined || stay.group.candidates.length < 2) return undefined
  const hedging = hedges.of(stay.budgetName)
  if (stay.retries === 0) hedging?.request()
  return hedging
}

/** Sends an attempt, and after a time without a byte a second one elsewhere: whoever answers first is passed on. */
export function sendHedged(
  journey: Journey,
  stay: Stay,
  hedging: HedgedGroup,
  first: Attempt,
  ways: Ways,
): Stream {
  const { deps, asked, answer } = journey
  const { isStream } = asked.need
  const afterMs = hedging.afterMs(isStream)
  return race<Failed>({
    answer,
    clock: deps.clock,
    afterMs,
    first: (lane) => ways.send(journey, stay, first.candidate, first.plan, { lane, waiter: journey }),
    second: (lane) => {
      const second = secondOf(journey, stay, first, ways)
      if (second === undefined || !hedging.spend()) return undefined
      deps.detour?.('hedge')
      const { id } = second.candidate.deployment
      const instead = first.candidate.deployment.id
      const { model } = stay.group
      deps.log.info('hedged', { model_id: id, model_group: model, slow_model_id: instead, after_ms: afterMs })
      const waiter = { ...journey, connects: undefined }
      return ways.send(journey, stay, second.candidate, second.plan, { lane, waiter })
    },
    won: (isSecond) => {
      if (!isSecond) answer.meets?.(first.candidate.deployment)
    },
    saw: (firstByteMs) => hedging.saw(isStream, firstByteMs),
    isFinal: ({ failure }) => failure.kind === 'cancelled' || !mayRetry(failure),
    missed: (failed) => missed(journey, stay, failed),
    failed: (failed) => ways.failed(journey, stay, failed),
  })
}

/** Another deployment that is well enough; the last resort is none. */
function secondOf(journey: Journey, stay: Stay, first: Attempt, ways: Ways): Attempt | undefined {
  const { asked, inputs, deadlineMs, deps } = journey
  if (deadlineMs <= deps.clock.elapsed()) return undefined
  const { index } = first.candidate.deployment
  const isAsked = (each: number): boolean => each === index || stay.failed.has(each)
  const candidate = choose(stay.group.candidates, inputs, asked.need, isAsked)
  if (candidate === undefined) return undefined
  if (inputs.choices?.weight(candidate.deployment.index, inputs.now()) === 0) return undefined
  try {
    return { candidate, plan: ways.plan(journey, stay, candidate) }
  } catch {
    // Whoever cannot be asked is no help; the first attempt goes on.
    return undefined
  }
}

/** As after any failure, but that the other attempt is the next one already. */
function missed(journey: Journey, stay: Stay, failed: Failed): void {
  const { candidate, failure, route } = failed
  journey.first ??= { failure, route }
  stay.failed.set(candidate.deployment.index, failed)
  journey.deps.log.info('attempt_failed', {
    model_id: candidate.deployment.id,
    model_group: stay.group.model,
    reason: failure.kind,
    error: failure.message,
  })
}
