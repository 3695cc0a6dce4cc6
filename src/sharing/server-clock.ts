/**
 * Our own time and a store's. The store's lies somewhere between what it would be had its answer taken no time at all to
 * come, and what it would be had the question taken none; of both ends the one is used that makes things look older.
 */
export interface ServerClock {
  /** One question: when it was sent and its answer received, and what the store's clock said. */
  saw(sentAt: number, serverAt: number, receivedAt: number): void
  readonly toServer: (local: number) => number
  readonly toLocal: (server: number) => number
  /** Nothing is known yet. */
  isBlank(): boolean
  /** Another store, perhaps with another clock. */
  forget(): void
}

/** A good reading is replaced after this, for clocks drift. */
const KEPT_MS = 60_000

/** Makes one that knows nothing. */
export function createServerClock(): ServerClock {
  let early = Number.NEGATIVE_INFINITY
  let late = Number.POSITIVE_INFINITY
  let readAt = Number.NEGATIVE_INFINITY
  return {
    saw: (sentAt, serverAt, receivedAt) => {
      const isBetter = receivedAt - sentAt <= late - early
      if (!isBetter && receivedAt - readAt < KEPT_MS) return
      early = serverAt - receivedAt
      late = serverAt - sentAt
      readAt = receivedAt
    },
    toServer: (local) => Math.floor(local + early),
    toLocal: (server) => server - late,
    isBlank: () => early === Number.NEGATIVE_INFINITY,
    forget: () => {
      early = Number.NEGATIVE_INFINITY
      late = Number.POSITIVE_INFINITY
      readAt = Number.NEGATIVE_INFINITY
    },
  }
}
