import { DEPTH } from '../../core/depth.ts'
import type { Evidence } from '../../core/evidence.ts'
import { afterFailure } from './after-failure.ts'
import { afterOk } from './after-ok.ts'
import { isCondemned, suspicion, withoutPoison } from './blame.ts'
import { fallen, forgotten, misconfigured, moved, recovering } from './moves.ts'
import { passTime } from './pass-time.ts'
import type { EngineRules } from './rules.ts'
import type { Command, Effect, Standing, Step } from './standing.ts'

const NO_EFFECTS: readonly Effect[] = []
const REPLAN: readonly Effect[] = [{ kind: 'replan' }]

/**
 * The state machine of one deployment: what it stands at after a piece of evidence, a command, or time alone. Pure:
 * no clock, no dice, nothing is sent. `now` is never before any time that it was told of already.
 */
export function reduce(standing: Standing, input: Evidence | Command, now: number, rules: EngineRules): Step {
  const after = step(passTime(standing, now, rules), input, now, rules)
  return { standing: after, effects: effectsOf(standing, after, now) }
}

function step(standing: Standing, input: Evidence | Command, now: number, rules: EngineRules): Standing {
  if ('source' in input) return learned(standing, input, now, rules)
  switch (input.kind) {
    case 'tick':
      return standing
    case 'trial':
      return isOut(standing) && !standing.isFollower ? recovering(standing, now) : standing
    case 'isolate':
      return moved(standing, 'ISOLATED', now, { ...CLEAN, reason: 'checks_disabled', until: input.until })
    case 'restore':
      return forgotten(standing, now)
    case 'withdraw':
      return withdrawn(standing, input.request, now, rules)
    case 'condemned':
      return condemned(standing, input, now)
    case 'narrowed':
      return { ...standing, domain: 'deployment' }
    case 'told':
      return told(standing, input, now, rules)
    case 'released':
      return standing.isFollower ? { ...standing, isReleased: true, until: input.at } : standing
  }
}

/** What may be the caller's fault, or our own, changes nothing. */
function learned(standing: Standing, evidence: Evidence, now: number, rules: EngineRules): Standing {
  if (!evidence.isAttributable) return standing
  const asked = evidence.depth >= DEPTH.right ? askedGolden(standing, evidence) : standing
  return evidence.kind === 'ok'
    ? afterOk(asked, evidence, now, rules)
    : afterFailure(asked, evidence, evidence.kind, now, rules)
}

/** It was asked what has one right answer; only that answer clears the doubt whether it knows it. */
function askedGolden(standing: Standing, { kind, at }: Evidence): Standing {
  const lastGoldenAt = Math.max(standing.lastGoldenAt, at)
  if (kind !== 'ok') return { ...standing, lastGoldenAt }
  const degraded = standing.degraded === 'quality' ? 'no' : standing.degraded
  return { ...standing, lastGoldenAt, misses: 0, degraded }
}

const CLEAN = { blames: [], domain: 'deployment', isFollower: false, isReleased: false } as const

function isOut({ state }: Standing): boolean {
  return state === 'DOWN' || state === 'MISCONFIGURED'
}

/** What others found out of its host or its key; what it found out of itself, or an operator said, stands above that. */
function condemned(
  standing: Standing,
  { domain, state, reason }: Extract<Command, { kind: 'condemned' }>,
  now: number,
): Standing {
  if (standing.state === 'ISOLATED' || (isOut(standing) && !standing.isFollower)) return standing
  return moved(standing, state, now, { ...CLEAN, reason, domain, isFollower: true })
}

/** A verdict of all gateways, unless something newer is known here. */
function told(
  standing: Standing,
  { state, reason, domain, at }: Extract<Command, { kind: 'told' }>,
  now: number,
  rules: EngineRules,
): Standing {
  const isKnown = isOut(standing) && !standing.isFollower
  if (standing.state === 'ISOLATED' || isKnown || !rules.isProbeHeeded) return standing
  if (standing.lastOkStartedAt > at) return standing
  return state === 'DOWN'
    ? fallen(standing, reason, domain, now, rules)
    : misconfigured(standing, reason, domain, now)
}

/** The doubt stays until somebody has looked; a fall that hung on this request alone is taken back. */
function withdrawn(standing: Standing, request: number, now: number, rules: EngineRules): Standing {
  const blames = withoutPoison(standing.blames, request)
  if (blames === standing.blames) return standing
  const next = { ...standing, blames, failures: Math.max(standing.failures - 1, 0) }
  const isTraffic = blames.every(({ source }) => source === 'traffic')
  if (standing.state !== 'DOWN' || !isTraffic || isCondemned(next, now, rules)) return next
  return suspicion(blames) >= rules.failures ? next : recovering(next, now)
}

function effectsOf(before: Standing, after: Standing, at: number): readonly Effect[] {
  if (before.state !== after.state) {
    const { reason } = after
    return [{ kind: 'transition', from: before.state, to: after.state, reason, at }, ...REPLAN]
  }
  const isSame =
    before.blames === after.blames && before.until === after.until && before.waits === after.waits
  return isSame ? NO_EFFECTS : REPLAN
}
