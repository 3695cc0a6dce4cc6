import { createRedact, type Redact, type Secret } from '../core/secret.ts'
import type { Connected } from './adapter.ts'

/** Most secrets of a line are known to everybody's redactor: what it leaves, and only that, needs one of its own. */
export function redactAlso(
  { secrets, freshSecrets }: Pick<Connected, 'secrets' | 'freshSecrets'>,
  known: Redact,
): Redact {
  let own: Redact | undefined
  const ownSecrets = (): Redact =>
    createRedact(secrets.filter((secret) => known(secret.reveal()) !== '[secret]'))
  let fresh: readonly Secret[] = []
  let ofFresh: Redact | undefined
  return (text) => {
    own ??= ownSecrets()
    const now = freshSecrets?.() ?? fresh
    if (now !== fresh) {
      fresh = now
      ofFresh = createRedact(now)
    }
    return known(own(ofFresh === undefined ? text : ofFresh(text)))
  }
}
