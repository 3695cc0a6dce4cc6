import { Client, type Dispatcher } from 'undici'

/** One connection; undici makes it anew where it was closed. */
export interface Slot {
  readonly client: Client
  /** Exchanges that ended well since it was made. */
  answers: number
  /** When it was made, by `elapsed`. */
  bornMs: number
  isBusy: boolean
  /** Takes no exchange any more. */
  isRetired: boolean
}

/** A handler that is told of its connection before its request starts. */
export interface SlotHandler extends Dispatcher.DispatchHandler {
  slot: Slot | undefined
}

type Options = Dispatcher.DispatchOptions

/** All connections to one origin: one exchange each at a time. */
export interface Connections {
  /** On the connection that was used last, or on a new one; waits where there are too many. */
  dispatch(options: Options, handler: SlotHandler): void
  /** On a connection made for this exchange alone. */
  dispatchAlone(options: Options, handler: SlotHandler): void
  /** Running and waiting exchanges come to their end; to be called once nobody dispatches any more. */
  close(): void
  /** Ends everything at once. */
  destroy(): Promise<void>
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

/**
 * Keeps them. undici's own pool looks through all its connections twice a request, and cannot say which one a request
 * got. Here the free ones are a stack: what is not needed stays idle, and idle connections are closed.
 */
export function createConnections(settings: ConnectionsSettings): Connections {
  const newClient = (): Client => new Client(settings.origin, settings.client)
  const loners = createLoners(newClient)
  const waiting: (readonly [Options, SlotHandler])[] = []
  let isClosed = false
  const send = (slot: Slot, options: Options, handler: SlotHandler): void => {
    slot.isBusy = true
    handler.slot = slot
    slot.client.dispatch(options, handler)
  }
  const sendWaiting = (): void => {
    while (waiting.length > 0) {
      const slot = slots.take()
      if (slot === undefined) return
      const next = waiting.shift()
      if (next !== undefined) send(slot, ...next)
    }
    if (isClosed) slots.retireFree()
  }
  const slots = createSlots(settings, newClient, sendWaiting)
  return {
    dispatch: (options, handler) => {
      const slot = waiting.length > 0 ? undefined : slots.take()
      if (slot === undefined) waiting.push([options, handler])
      else send(slot, options, handler)
    },
    dispatchAlone: loners.dispatch,
    close: () => {
      isClosed = true
      sendWaiting()
    },
    destroy: async () => {
      // A client that is gone tells each handler so.
      const gone = newClient()
      const ends = [gone.destroy(), loners.destroy(), slots.destroy()]
      for (const [options, handler] of waiting.splice(0)) gone.dispatch(options, handler)
      await Promise.all(ends)
    },
  }
}

/** The connections that are shared by exchanges, one after the other. */
interface Slots {
  /** One that is free, the last used first, or a new one; undefined where there are too many. */
  take(): Slot | undefined
  retireFree(): void
  destroy(): Promise<void>
}

/** `changed` is called when there is one to take again. */
function createSlots(
  { maxConnections, maxAgeMs, elapsed }: ConnectionsSettings,
  newClient: () => Client,
  changed: () => void,
): Slots {
  const all = new Set<Slot>()
  const free: Slot[] = []
  const retire = (slot: Slot): void => {
    if (slot.isRetired) return
    slot.isRetired = true
    all.delete(slot)
    closeSoon(slot.client, () => {})
  }
  const create = (): Slot => {
    const slot = createSlot(newClient(), elapsed, {
      freed: () => {
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
      return all.size < maxConnections ? create() : undefined
    },
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

/** A slot, and what becomes of it. */
interface SlotEvents {
  /** It can take another exchange. */
  readonly freed: () => void
  /** No connection came about. */
  readonly failed: () => void
}

function createSlot(client: Client, elapsed: () => number, { freed, failed }: SlotEvents): Slot {
  const slot: Slot = { client, answers: 0, bornMs: 0, isBusy: false, isRetired: false }
  const startAnew = (): void => {
    slot.answers = 0
    slot.bornMs = elapsed()
  }
  client
    .on('connect', startAnew)
    .on('disconnect', startAnew)
    // After an answer undici lets a turn of the event loop pass first, for servers that close.
    .on('drain', () => {
      if (!slot.isBusy || slot.isRetired) return
      slot.isBusy = false
      freed()
    })
    .on('connectionError', failed)
  return slot
}

/** Connections of one exchange. */
function createLoners(newClient: () => Client): {
  readonly dispatch: Connections['dispatchAlone']
  readonly destroy: () => Promise<void>
} {
  const clients = new Set<Client>()
  return {
    dispatch: (options, handler) => {
      const client = newClient()
      clients.add(client)
      handler.slot = undefined
      client.dispatch({ ...options, reset: true }, handler)
      closeSoon(client, () => clients.delete(client))
    },
    destroy: async () => {
      await Promise.all(Array.from(clients, (client) => client.destroy()))
    },
  }
}

/** Waits for what runs on it. One that was destroyed meanwhile refuses to close, and is gone as well. */
function closeSoon(client: Client, done: () => void): void {
  client.close().then(done, done)
}
