import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  listeningPort,
  startBareNode,
  startNginx,
  startPulsegate,
  type Contestant,
  type Own,
} from './contestants.ts'
import type { Options } from './options.ts'
import { isSeen, type Order, type Seen, type Task } from './order.ts'
import { startLitellm, startPortkey, type Peer } from './peers.ts'
import { LOAD_CORE, nextMessage, startPinned, type Pinned } from './pinned.ts'

/** What the bench works with. */
export interface Ground {
  readonly load: Pinned
  readonly upstream: Pinned
  readonly upstreamPort: number
  /** For files that are gone at the end. */
  readonly folder: string
  /** Asked in turns; ours is the last one. */
  readonly contestants: readonly Contestant[]
  readonly own: Own
  /** Why a contestant that was asked for is not there. */
  readonly missing: readonly string[]
  /** One more of ours, fresh, while `use` runs. */
  withFresh<Result>(nodeFlags: readonly string[], use: (own: Own) => Promise<Result>): Promise<Result>
  stop(): Promise<void>
}

const REPORT_DEADLINE_MS = 60_000

/** Starts the upstream, the load generator and the contestants; nothing is left running where one of them fails. */
export async function openGround(options: Options): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-bench-'))
  const started: Pinned[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((each) => each.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
  const keep = <Kept extends Contestant>(contestant: Kept): Kept => {
    started.push(contestant.process)
    return contestant
  }
  try {
    const [upstream, load] = [startNode('upstream.ts'), startNode('load.ts')]
    started.push(upstream, load)
    const upstreamPort = await listeningPort(upstream)
    const contestants: Contestant[] = []
    const missing: string[] = []
    const nginx = await startNginx(folder, upstreamPort)
    if (nginx !== undefined) contestants.push(keep(nginx))
    else missing.push('nginx is not installed (Debian: apt-get install nginx-light): it is left out.')
    contestants.push(keep(await startBareNode(upstreamPort)))
    const add = (peer: Peer): void => {
      if ('missing' in peer) missing.push(peer.missing)
      else contestants.push(keep(peer))
    }
    if (options.peers) add(await startPortkey(folder, upstreamPort))
    if (options.litellmPython !== undefined)
      add(await startLitellm(folder, upstreamPort, options.litellmPython))
    const own = keep(await startPulsegate(folder, upstreamPort, options.nodeFlags))
    const withFresh: Ground['withFresh'] = async (nodeFlags, use) => {
      const fresh = join(folder, 'fresh')
      mkdirSync(fresh, { recursive: true })
      const another = await startPulsegate(fresh, upstreamPort, nodeFlags)
      started.push(another.process)
      try {
        return await use(another)
      } finally {
        await another.process.stop()
      }
    }
    contestants.push(own)
    return { load, upstream, upstreamPort, folder, contestants, own, missing, withFresh, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startNode(script: string): Pinned {
  return startPinned([process.execPath, join(import.meta.dirname, script)], LOAD_CORE)
}

/** An order to this contestant. */
export function orderTo({ port, headers }: Pick<Contestant, 'port' | 'headers'>, task: Task): Order {
  return { port, task, ...(headers !== undefined && { headers }) }
}

/** Has the load generator carry out several orders at the same time. */
export function askAll(load: Pinned, orders: readonly Order[]): Promise<readonly Seen[]> {
  const seen = nextMessage(load, isSeen, REPORT_DEADLINE_MS)
  load.child.send(orders)
  return seen
}

/** Has it carry out one. */
export async function ask(load: Pinned, order: Order): Promise<Seen> {
  const [seen] = await askAll(load, [order])
  if (seen === undefined) throw new Error('the load generator reported nothing')
  return seen
}
