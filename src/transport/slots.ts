import type { Client } from 'undici'

/** One connection; undici makes it anew where it was closed. */
export interface Slot {
  readonly client: Client
  /** Exchanges that ended well since it was made. */
  answers: number
  /** When it was made, by `elapsed`. */
  bornMs: number
  /** `ending`: its answer is over, but undici takes it for a turn of the event loop yet. */
  state: 'busy' | 'ending' | 'free'
  /** Takes no exchange any more. */
  isRetired: boolean
}

/** How connections are kept. */
export interface ConnectionsSettings {
  readonly origin: string
  readonly client: Client.Options
  readonly maxConnections: number
  /** Older ones take no new exchange. Milliseconds. */
  readonly maxAgeMs: number
  readonly elapsed: () => number
}

/** The connections that are shared by exchanges, one after the other. */
export interface Slots {
  /** One that is free, the last used first, or is so in a moment, or a new one; undefined where there are too many. */
  take(): Slot | undefined
  ending(slot: Slot): void
  /** It takes no exchange any more. */
  retire(slot: Slot): void
  retireFree(): void
  destroy(): Promise<void>
}

/** `changed` is called when there is one to take again. */
export function createSlots(
  { maxConnections, maxAgeMs, elapsed }: ConnectionsSettings,
  newClient: () => Client,
  changed: () => void,
): Slots {
  const all = new Set<Slot>()
  const free: Slot[] = []
  const ending = createEnding()
  const retire = (slot: Slot): void => {
    if (slot.isRetired) return
    slot.isRetired = true
    all.delete(slot)
    closeSoon(slot.client, () => {})
  }
  const create = (): Slot => {
    const slot = createSlot(newClient(), elapsed, {
      freed: () => {
        ending.leave(slot)
        slot.state = 'free'
        free.push(slot)
        changed()
      },
      failed: () => {
        retire(slot)
        changed()
      },
    })
    all.add(slot)
    return slot
  }
  const isOld = ({ answers, bornMs }: Slot): boolean => answers > 0 && elapsed() - bornMs > maxAgeMs
  return {
    take: () => {
      for (let slot = free.pop(); slot !== undefined; slot = free.pop()) {
        if (!slot.isRetired && !isOld(slot)) return slot
        retire(slot)
      }
      // Under load a turn is long, and a new connection for each of its requests would cost more than the request.
      for (let slot = ending.take(); slot !== undefined; slot = ending.take()) {
        if (!isOld(slot)) return slot
        retire(slot)
      }
      return all.size < maxConnections ? create() : undefined
    },
    ending: (slot) => ending.add(slot),
    retire,
    retireFree: () => free.splice(0).forEach(retire),
    destroy: async () => {
      const clients = Array.from(all, (slot) => {
        slot.isRetired = true
        return slot.client
      })
      all.clear()
      await Promise.all(clients.map((client) => client.destroy()))
    },
  }
}

interface Ending {
  add(slot: Slot): void
  /** The one that was added last. */
  take(): Slot | undefined
  /** It is free now, or taken. */
  leave(slot: Slot): void
}

/** Those that left otherwise stay in the list until all have; that is so at the end of each turn of the event loop. */
function createEnding(): Ending {
  const list: Slot[] = []
  let count = 0
  const leave = (slot: Slot): void => {
    if (slot.state !== 'ending') return
    count -= 1
    if (count === 0) list.length = 0
  }
  return {
    add: (slot) => {
      slot.state = 'ending'
      list.push(slot)
      count += 1
    },
    take: () => {
      for (let slot = list.pop(); slot !== undefined; slot = list.pop()) {
        if (slot.state !== 'ending' || slot.isRetired) continue
        leave(slot)
        return slot
      }
      return undefined
    },
    leave,
  }
}

/** A slot, and what becomes of it. */
interface SlotEvents {
  /** It can take another exchange. */
  readonly freed: () => void
  /** No connection came about. */
  readonly failed: () => void
}

function createSlot(client: Client, elapsed: () => number, { freed, failed }: SlotEvents): Slot {
  const slot: Slot = { client, answers: 0, bornMs: 0, state: 'busy', isRetired: false }
  const startAnew = (): void => {
    slot.answers = 0
    slot.bornMs = elapsed()
  }
  client
    .on('connect', startAnew)
    .on('disconnect', startAnew)
    // After an answer undici lets a turn of the event loop pass first, for servers that close.
    .on('drain', () => {
      if (slot.state !== 'free' && !slot.isRetired) freed()
    })
    .on('connectionError', failed)
  return slot
}

/** Waits for what runs on it. One that was destroyed meanwhile refuses to close, and is gone as well. */
export function closeSoon(client: Client, done: () => void): void {
  client.close().then(done, done)
}
