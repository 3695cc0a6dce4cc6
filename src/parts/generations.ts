import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import { GatewayError } from '../core/failure.ts'
import { wasAt } from '../core/was.ts'
import type { Earlier, Gateway } from '../gateway/gateway.ts'
import { loadAdaptersOf } from '../providers/registry.ts'
import type { Lasting } from './lasting.ts'
import { makeParts, type Parts, type PartsDeps } from './parts.ts'
import { subjectsOf } from './past.ts'
import type { Predecessor } from './predecessor.ts'

/** What is served with now, and what requests of before still run on. */
export interface Generations {
  readonly config: () => Config
  readonly parts: () => Parts
  /**
   * Serves new requests with another config from now on; those that run end on the parts that they began with. `was`
   * says by index where a deployment stood that is called as before. Gives how many of these turned out to be called
   * otherwise after all; undefined: the gateway ends, and nothing was changed. Not to be called before it is over.
   */
  swap(config: Config, was: Int32Array): Promise<{ readonly lost: number } | undefined>
  /** Ends everything, of all configs. */
  stop(): Promise<void>
}

/** Connections of a config that are still needed. */
interface Past {
  readonly parts: Parts
  readonly earlier: Earlier
}

/** Requests of more configs than this are not kept at a time: the oldest get the drain timeout to end. */
const MOST_PAST = 4
/** New parts are made for so long at a stretch, milliseconds; requests go first in between. */
const SLICE_MS = 8

/** Begins with the parts of the first config. */
export function createGenerations(
  first: { readonly config: Config; readonly parts: Parts },
  gateway: Gateway,
  deps: PartsDeps,
  lasting: Lasting,
): Generations {
  let { config, parts } = first
  lasting.history.follow(subjectsOf(parts.checks, parts.lines))
  const past = new Set<Past>()
  let isStopped = false

  const isUsed = ({ transports }: Parts): boolean =>
    parts.transports === transports || Array.from(past).some((each) => each.parts.transports === transports)

  async function end(ended: Past): Promise<void> {
    if (!past.delete(ended)) return
    for (const { elders } of [parts, ...Array.from(past, (each) => each.parts)]) {
      const at = elders.findIndex(({ ledger }) => ledger === ended.parts.ledger)
      if (at !== -1) elders.splice(at, 1)
    }
    await ended.parts.checks.stop()
    if (!isUsed(ended.parts)) await ended.parts.transports.close()
  }

  function keep(made: Past): void {
    past.add(made)
    const failed = (error: unknown): void => deps.log.error('config_not_let_go', { message: String(error) })
    made.earlier.over.then(() => end(made)).catch(failed)
    const [oldest] = past
    if (past.size > MOST_PAST && oldest !== undefined)
      deps.clock.after(config.general.drainTimeoutMs, () => oldest.earlier.end(outlived()))
  }

  async function swap(next: Config, was: Int32Array): Promise<{ readonly lost: number } | undefined> {
    const before = { parts, ...samenessOf(config, next, was) }
    const made = await inSlices(next, makeParts(next, deps, lasting, before))
    await made.prepare()
    const swapIn = await gateway.renew(made.face)
    if (isStopped) {
      if (!isUsed(made)) await made.transports.close()
      return undefined
    }
    // All at once: whoever asks from here on meets the new config, and nobody meets a half of it.
    takeOver(next, made, parts)
    lasting.metrics.renew(next.deployments)
    const retired = { parts, earlier: swapIn() }
    parts.checks.retire()
    lasting.history.follow(subjectsOf(made.checks, made.lines), made.was)
    succeed(made, parts)
    config = next
    parts = made
    parts.checks.start()
    keep(retired)
    return { lost: lostOf(was, next, made) }
  }

  return {
    config: () => config,
    parts: () => parts,
    swap,
    stop: async () => {
      isStopped = true
      await stopAll([parts, ...Array.from(past, (each) => each.parts)], lasting)
    },
  }
}

/** From the outside in: what looks first, then what it tells, then what it goes through. */
async function stopAll(all: readonly Parts[], { meeting, history }: Lasting): Promise<void> {
  await Promise.all(all.map(({ checks }) => checks.stop()))
  await all[0]?.replica?.stop()
  await meeting?.sharing.stop()
  await history.stop()
  await Promise.all(Array.from(new Set(all.map(({ transports }) => transports)), (each) => each.close()))
}

/** Makes the parts of a config that was read elsewhere, without holding up whoever is being served. */
async function inSlices({ deployments }: Config, making: Generator<undefined, Parts>): Promise<Parts> {
  await loadAdaptersOf(deployments)
  let since = performance.now()
  for (;;) {
    const step = making.next()
    if (step.done === true) return step.value
    if (performance.now() - since < SLICE_MS) continue
    await nextTurn()
    since = performance.now()
  }
}

/** What goes on as it was, as far as the whole config tells. */
function samenessOf(before: Config, after: Config, was: Int32Array): Omit<Predecessor, 'parts'> {
  const isSameNetwork = isSame(after.network, before.network) && isSame(proxiesOf(after), proxiesOf(before))
  const isSameEnv = isSame(after.env, before.env)
  return { was: wasAt(isSameNetwork ? was : new Int32Array()), isSameNetwork, isSameEnv }
}

/** What is known stays known; nobody waits again for a connection that is known not to come about. */
function takeOver({ deployments }: Config, made: Parts, before: Parts): void {
  made.checks.inherit(before.checks.legacy, made.was)
  const missing = new Set(before.outOfReach.missing())
  if (missing.size === 0) return
  for (const deployment of deployments) {
    if (missing.has(made.was(deployment.index) ?? -1)) made.outOfReach.missed(deployment)
  }
}

/** Among its replicas it stays the one that it was: what is being looked at is given back, and claimed anew. */
function succeed({ replica, was }: Parts, { replica: before }: Parts): void {
  void before?.stop()
  replica?.start(before && { replica: before, was })
}

/** How many looked as if they were called as before, and are not. */
function lostOf(places: Int32Array, { deployments }: Config, { was }: Parts): number {
  return deployments.filter(({ index }) => places[index] !== -1 && was(index) === undefined).length
}

/** Variables that say through which proxy connections go. */
function proxiesOf({ env }: Config): object {
  return Object.fromEntries(Object.entries(env).filter(([name]) => /_proxy$/i.test(name)))
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function outlived(): GatewayError {
  const message =
    'This request began under a config that was replaced several times since, and has outlived the drain timeout; ask again.'
  return new GatewayError('none_available', message, { source: 'gateway', retryAfterMs: 1000 })
}
