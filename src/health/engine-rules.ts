import type { DownSettings, EngineSettings, HealthStrategy } from '../core/engine-settings.ts'
import type { PurseRules } from './engine/purse.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from './engine/rules.ts'
import type { DownWaits, EngineRules, LookRules } from './engine/rules.ts'

/** Everything that a config decides about the health engine. */
export interface EngineRuleSet {
  readonly rules: EngineRules
  readonly look: LookRules
  readonly purse: PurseRules
  /** Looks at once: in all, at a host that takes several at a time, and with one key. */
  readonly admission: { readonly total: number; readonly perHost: number; readonly perCredential: number }
  readonly hasLastResort: boolean
}

const USD_PER_DAY = 5
/** A look may hang for as long as its deadline: with only a few at one place, two hung models would blind us to the rest. */
const ADMISSION = { total: 64, perHost: 16, perCredential: 16 }
/** Verdicts live three intervals at least, so that each can be renewed before it is forgotten. */
const INTERVALS_TO_FORGET = 3

/** The rules that follow from a config: what is written, and the defaults of the engine for the rest. Pure. */
export function engineRulesOf(settings: EngineSettings): EngineRuleSet {
  const { budget, concurrency, hasLastResort } = settings
  const usdPerDayEach = budget.usdPerDayEach ?? Number.POSITIVE_INFINITY
  return {
    rules: judgingRules(settings),
    look: lookRules(settings),
    purse: { usdPerDay: budget.usdPerDay ?? USD_PER_DAY, usdPerDayEach },
    admission: {
      total: concurrency.total ?? ADMISSION.total,
      perHost: concurrency.perHost ?? ADMISSION.perHost,
      perCredential: concurrency.perCredential ?? ADMISSION.perCredential,
    },
    hasLastResort,
  }
}

function judgingRules(settings: EngineSettings): EngineRules {
  const { thresholds, traffic, intervalMs = 0 } = settings
  const { cooldownMs } = traffic
  const failures = thresholds.failures ?? DEFAULT_RULES.failures
  const rise = thresholds.rise ?? DEFAULT_RULES.rise
  return {
    ...DEFAULT_RULES,
    failures,
    // Where fewer failures are an outage, so few prompts must do.
    leastPrompts: Math.min(DEFAULT_RULES.leastPrompts, failures),
    ratio: thresholds.ratio ?? DEFAULT_RULES.ratio,
    leastRequests: thresholds.leastRequests ?? DEFAULT_RULES.leastRequests,
    windowMs: thresholds.windowMs ?? DEFAULT_RULES.windowMs,
    rise,
    riseFlapping: 2 * rise,
    ...(traffic.allowedFails !== undefined && { allowedFails: traffic.allowedFails }),
    allowedFailsByKind: traffic.allowedFailsByKind,
    isTrafficHeeded: traffic.isHeeded,
    isProbeHeeded: settings.steersRouting,
    ignoreTransientErrors: settings.ignoresTransientErrors,
    noticesIsolation: settings.noticesIsolation,
    // Whoever writes how long a deployment rests means those as well that are merely too busy.
    ...(cooldownMs !== undefined && {
      saturatedMs: cooldownMs,
      saturatedMostMs: Math.max(cooldownMs, DEFAULT_RULES.saturatedMostMs),
    }),
    forgetMs: settings.forgetMs ?? Math.max(DEFAULT_RULES.forgetMs, INTERVALS_TO_FORGET * intervalMs),
  }
}

function lookRules(settings: EngineSettings): LookRules {
  const { intervalMs, confirm } = settings
  const confirmLeastMs =
    confirm.leastMs ?? Math.min(DEFAULT_LOOK_RULES.confirmLeastMs, confirm.mostMs ?? Infinity)
  return {
    ...DEFAULT_LOOK_RULES,
    strategy: strategyOf(settings),
    intervalMs: intervalMs ?? DEFAULT_LOOK_RULES.intervalMs,
    // A written interval is a promise: nothing grows older than it, unless that is written too.
    idleMostMs: settings.idleMostMs ?? intervalMs ?? DEFAULT_LOOK_RULES.idleMostMs,
    confirmLeastMs,
    confirmMostMs: Math.max(confirm.mostMs ?? DEFAULT_LOOK_RULES.confirmMostMs, confirmLeastMs),
    confirmFreeMs: Math.min(DEFAULT_LOOK_RULES.confirmFreeMs, confirmLeastMs),
    down: downWaits(settings.down, settings.traffic.cooldownMs),
    priceCeiling: settings.budget.priceCeiling ?? DEFAULT_LOOK_RULES.priceCeiling,
  }
}

/** Without background checks nobody looks unasked, but where a look is to confirm and to bring back (`on_demand`). */
function strategyOf({ isLooking, strategy }: EngineSettings): HealthStrategy {
  if (isLooking) return strategy ?? DEFAULT_LOOK_RULES.strategy
  return strategy === 'on_demand' ? strategy : 'off'
}

/** Waits grow with the outage's age, but never beyond a cap that is written. */
function downWaits(down: DownSettings, cooldownMs: number | undefined): DownWaits {
  const { firstMs, factor, capFreeMs, capMs, capMidMs, capDearMs, ageShare, capOldMs } =
    DEFAULT_LOOK_RULES.down
  const written = [down.capMs, down.capMidMs, down.capDearMs].filter((cap) => cap !== undefined)
  return {
    firstMs: down.firstMs ?? cooldownMs ?? firstMs,
    factor: down.factor ?? factor,
    capFreeMs: Math.min(capFreeMs, down.capMs ?? capFreeMs),
    capMs: down.capMs ?? capMs,
    capMidMs: down.capMidMs ?? Math.max(capMidMs, down.capMs ?? 0),
    capDearMs: down.capDearMs ?? Math.max(capDearMs, down.capMidMs ?? 0, down.capMs ?? 0),
    ageShare,
    capOldMs: Math.min(capOldMs, ...written),
  }
}
