import type { Deployment } from '../core/deployment.ts'
import { freeRequest } from '../providers/look.ts'
import { isLoadedByAsking } from '../providers/residence.ts'
import type { Member } from './engine/engine.ts'
import { goldenTimes } from './golden.ts'
import { isBackgroundChecked } from './policy.ts'
import type { HealthSettings } from './settings.ts'
import { addressOf, knownModelOf } from './subject.ts'
import type { LineOrProblem } from './subject.ts'

/** What the engine's picture of the deployments is made from. */
export interface MemberInputs {
  readonly deployments: readonly Deployment[]
  /** The line of a deployment, by its index. */
  readonly lines: (index: number) => LineOrProblem
  /** Dollars for one whole check. */
  readonly priceOf: (deployment: Deployment) => number
  readonly settings: HealthSettings
}

/** The deployments as the engine sees them, and which hosts bear one look at a time only, by the number of the host. */
export interface Members {
  readonly members: readonly Member[]
  readonly slowHosts: ReadonlySet<number>
  /** How many deployments share the most used key, and how many keys there are. */
  readonly mostOfOneKey: number
  readonly keys: number
}

/** Shortest `cooldown_time` of a deployment that is heeded, milliseconds: a look at every turn of the loop helps nobody. */
const LEAST_WAIT_MS = 100
const MEMBERS_A_STEP = 200

/**
 * Numbers hosts, keys and groups. A host is the origin of the line's address. A key is one key at one address: texts
 * like `none` stand before many servers that have nothing else in common, and one gateway leads to many providers.
 */
export function createMembers(inputs: MemberInputs): Members {
  const making = makeMembers(inputs)
  for (;;) {
    const step = making.next()
    if (step.done === true) return step.value
  }
}

/** The same in steps, for whoever has others to let run in between. */
export function* makeMembers({
  deployments,
  lines,
  priceOf,
  settings,
}: MemberInputs): Generator<undefined, Members> {
  const hosts = createNumbers()
  const keys = createNumbers()
  const groups = createNumbers()
  const slowHosts = new Set<number>()
  const memberOf = (deployment: Deployment): Member => {
    const opened = lines(deployment.index)
    const origin = 'line' in opened ? opened.line.host : `none ${deployment.index}`
    const base = addressOf(opened) ?? origin
    const host = hosts.of(origin)
    if ('line' in opened && opened.line.adapter.oneAtATime === true) slowHosts.add(host)
    const isWatched = isBackgroundChecked(deployment, settings)
    const { rung = settings.rung } = deployment.probe
    const hasOwnRung = deployment.probe.rung === 'minimal' || deployment.probe.rung === 'golden'
    const isRare = deployment.mode === 'image_generation' && rung !== 'minimal'
    const isBought = isWatched && rung !== 'free'
    const cooldownMs = deployment.traffic?.cooldownMs
    return {
      host,
      credential: keys.of(`${base}\n${deployment.provider}\n${keyOf(deployment)}`),
      group: groups.of(deployment.group),
      // Asked for each time: the catalogue of prices is loaded after the start.
      get price() {
        return isBought ? priceOf(deployment) : Number.POSITIVE_INFINITY
      },
      get goldenPrice() {
        return isBought && rung === 'golden' ? goldenPriceOf(deployment, priceOf) : undefined
      },
      hasFree: isWatched && 'line' in opened && freeRequest(opened.line) !== undefined,
      // Who wants it asked all the same has said so.
      ...(isBought &&
        !hasOwnRung &&
        'line' in opened &&
        isLoadedByAsking(opened.line) && { isLoadedByAsking: true }),
      ...(isRare && { leastMs: settings.imageIntervalMs, isFirstBought: true }),
      ...(cooldownMs !== undefined && { firstWaitMs: Math.max(cooldownMs, LEAST_WAIT_MS) }),
    }
  }
  const members: Member[] = []
  for (const deployment of deployments) {
    members.push(memberOf(deployment))
    if (members.length % MEMBERS_A_STEP === 0) yield
  }
  return { members, slowHosts, mostOfOneKey: keys.most(), keys: keys.size() }
}

/** A golden answer is longer, and so dearer. */
function goldenPriceOf(deployment: Deployment, priceOf: MemberInputs['priceOf']): number {
  const mode = deployment.unprobedMode ?? deployment.mode
  return priceOf(deployment) * goldenTimes(mode, knownModelOf(deployment))
}

/** All that a server may know its caller by. It is compared, and forgotten. */
function keyOf({ connection }: Deployment): string {
  const { apiKey, azureAdToken, organization, apiBaseQuery, headers } = connection
  const secrets = [apiKey, azureAdToken, organization, apiBaseQuery, ...Object.values(headers)]
  return secrets.map((secret) => secret?.reveal() ?? '').join('\n')
}

/** Gives each text a small number, and counts how often it was asked for. */
function createNumbers(): { of(text: string): number; most(): number; size(): number } {
  const numbers = new Map<string, number>()
  const counts: number[] = []
  return {
    of: (text) => {
      const number = numbers.get(text) ?? numbers.size
      numbers.set(text, number)
      counts[number] = (counts[number] ?? 0) + 1
      return number
    },
    most: () => counts.reduce((most, count) => Math.max(most, count), 0),
    size: () => counts.length,
  }
}
