import type { Config } from '../config/config.ts'
import type { Deployment } from '../core/deployment.ts'
import type { GatewayDeps } from '../gateway/gateway.ts'
import type { LineOrProblem } from '../health/subject.ts'
import { resolveModel } from '../providers/registry.ts'
import { rememberedLines } from '../routing/choice/candidate-line.ts'
import { createChoice } from '../routing/choice/choice.ts'
import type { Elders, Ledger } from '../routing/choice/ledger.ts'
import { createOutOfReach, type OutOfReach } from '../routing/choice/out-of-reach.ts'
import { fallbackModels } from '../routing/journey/fallbacks.ts'
import { createHedgeGroups } from '../routing/journey/hedge-groups.ts'
import { createRetryBudgets } from '../routing/journey/retry-budget.ts'
import { createObjects, type ObjectDeps } from '../routing/objects/objects.ts'
import { createPassThrough } from '../routing/pass-through/pass-through.ts'
import { createRealtimeCalls } from '../routing/realtime/calls.ts'
import { createRealtimeKeys, type RealtimeKeyDeps } from '../routing/realtime/keys.ts'
import { createRealtimeRelay, type RealtimeDeps } from '../routing/realtime/realtime.ts'
import type { SessionKeys } from '../routing/realtime/session-keys.ts'
import { createRelay, type RelayDeps } from '../routing/relay.ts'
import { createTextCounter } from '../routing/surfaces/text-counter.ts'
import { createFetchMedia } from '../transport/fetch-media.ts'
import type { Lasting } from './lasting.ts'

/** What all that clients ask for runs on. */
export type Traffic = RelayDeps &
  ObjectDeps &
  RealtimeDeps &
  Omit<RealtimeKeyDeps, 'sessionKeys'> & { readonly ledger: Ledger; readonly outOfReach: OutOfReach }

type TrafficInputs = Pick<
  Traffic,
  'deployments' | 'lines' | 'openLine' | 'clock' | 'log' | 'random' | 'directory' | 'health'
> &
  Pick<Lasting, 'book' | 'metrics' | 'nextRequest'> & { readonly elders: Elders }

/** Makes it. */
export function createTraffic(config: Config, deps: TrafficInputs): Traffic {
  const { deployments, router } = config
  const { clock, random, lines, health, book, metrics, nextRequest, elders } = deps
  return {
    ...deps,
    openNamed: rememberedLines(deps.openLine),
    ...createChoice(deployments, router, { clock, price: (each) => book.price(each), nextRequest, elders }),
    outOfReach: createOutOfReach({
      isEnabled: config.engine.traffic.isHeeded,
      reach: reachOver(lines),
      lastOkAt: (index) => health.engine.standings.standing(index, clock.elapsed()).lastOkAt,
      clock,
      random,
    }),
    resolve: resolveModel,
    fetchMedia: createFetchMedia({ allowedHosts: config.litellm.mediaHosts }),
    countText: createTextCounter(clock),
    budgets: createRetryBudgets(router.retryShare, clock),
    detour: (kind: 'retry' | 'fallback' | 'hedge') =>
      kind === 'retry' ? metrics.retried() : kind === 'hedge' ? metrics.hedged() : metrics.fellBack(),
    ...(router.hedges.size > 0 && { hedges: createHedgeGroups(router.hedges) }),
    ...(router.checksContextWindow && {
      maxInputTokens: (deployment: Deployment) => book.maxInputTokens(deployment),
    }),
    settings: { ...config.litellm, ...router, connectTimeoutMs: config.network.connectTimeoutMs },
  }
}

/** The ways in which clients reach deployments. */
export function createRoads(
  traffic: Traffic,
  sessionKeys: SessionKeys,
): Pick<
  GatewayDeps,
  | 'relay'
  | 'realtime'
  | 'realtimeKeys'
  | 'realtimeCalls'
  | 'sessionKeys'
  | 'objects'
  | 'passThrough'
  | 'fallbacksOf'
> {
  return {
    relay: createRelay(traffic),
    realtime: createRealtimeRelay(traffic),
    realtimeKeys: createRealtimeKeys({ ...traffic, sessionKeys }),
    realtimeCalls: createRealtimeCalls(traffic),
    sessionKeys,
    objects: createObjects(traffic),
    passThrough: createPassThrough(traffic),
    fallbacksOf: (names) => fallbackModels(names, traffic.settings.fallbacks),
  }
}

/** Does a connection to where a deployment's line leads come about? */
function reachOver(
  lines: (index: number) => LineOrProblem,
): (deployment: Pick<Deployment, 'index'>) => Promise<boolean> {
  return ({ index }) => {
    const opened = lines(index)
    if ('misconfigured' in opened) return Promise.resolve(false)
    return opened.line.transport.reach(opened.line.target.base)
  }
}
