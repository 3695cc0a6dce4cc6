import { Client, type Dispatcher } from 'undici'
import { closeSoon, createSlots, type ConnectionsSettings, type Slot } from './slots.ts'

/** A handler that is told of its connection before its request starts. */
export interface SlotHandler extends Dispatcher.DispatchHandler {
  slot: Slot | undefined
}

type Options = Dispatcher.DispatchOptions

/** All connections to one origin: one exchange each at a time. */
export interface Connections {
  /** On the connection that was used last, or on a new one; waits where there are too many. */
  dispatch(options: Options, handler: SlotHandler): void
  /** To be called at the end of an answer, for the next exchange need not wait for more than that. */
  ended(slot: Slot): void
  /** To be called where a request was not even queued: undici says no word of a connection that has nothing to do. */
  refused(slot: Slot): void
  /** On a connection made for this exchange alone. */
  dispatchAlone(options: Options, handler: SlotHandler): void
  /** Running and waiting exchanges come to their end; to be called once nobody dispatches any more. */
  close(): void
  /** Ends everything at once. */
  destroy(): Promise<void>
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
    slot.state = 'busy'
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
    ended: (slot) => {
      slot.answers += 1
      if (slot.isRetired) return
      slots.ending(slot)
      sendWaiting()
    },
    refused: (slot) => {
      slots.retire(slot)
      sendWaiting()
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
