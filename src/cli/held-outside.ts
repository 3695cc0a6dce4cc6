import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import type { Cancel, Clock } from '../core/clock.ts'
import { keepPace } from './keep-pace.ts'
import { CROWD } from './young-generation.ts'

/** What V8 holds, and when it collects everything. */
export interface Growth {
  /** What is held outside of V8's heap, which is mostly bodies. */
  outsideBytes(): number
  /** Everything is collected when so much has been added to what the last collection left, percent; 0: V8's own choice. */
  growBy(percent: number): void
}

/** The one of this process. */
export const growth: Growth = {
  outsideBytes: () => getHeapStatistics().external_memory,
  growBy: (percent) => setFlagsFromString(`--heap-growing-percent=${percent}`),
}

/** More than a gateway holds outside that answers short requests. */
const MANY_BYTES = 16 * 1024 * 1024
const GROWTH_PERCENT = 300

/**
 * Has V8 collect everything less often while bodies are held, or a crowd is in flight, until cancelled. Left alone it does
 * so whenever some 64 MB of bodies have come and gone, which with large ones is twenty times a second, half of all CPU; and
 * each second or two where what a crowd holds outlives the young generation, a fifth of all CPU.
 */
export function growWithLoad(clock: Pick<Clock, 'after'>, own: Growth, inFlight: () => number): Cancel {
  return keepPace(clock, {
    usual: 0,
    wanted: () => (own.outsideBytes() > MANY_BYTES || inFlight() > CROWD ? GROWTH_PERCENT : 0),
    tell: (percent) => own.growBy(percent),
  })
}
