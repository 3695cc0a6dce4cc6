import { createHandClock } from '../../core/clock.ts'
import { createCredentials } from './credentials.ts'
import type { AuthGround } from './ground.ts'

/** A ground of one test's own, on which time passes as it says. */
export function groundOn(
  transport: AuthGround['transport'],
  now: () => number = () => 0,
  clock = createHandClock(),
): AuthGround {
  return { transport, now, credentials: createCredentials(clock) }
}
