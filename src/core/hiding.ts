import { createRedact, type Redact, type Secret } from './secret.ts'

/** A redactor that is told of more secrets while it is used. */
export interface Hiding {
  readonly redact: Redact
  /** Hides these too, and those that the last call named; what was hidden at the start stays so. */
  renew(secrets: readonly Secret[]): void
}

/** Hides the secrets of the start. Making a redactor of ten thousand takes 50 ms, so that it is not made again. */
export function createHiding(secrets: readonly Secret[]): Hiding {
  const first = createRedact(secrets)
  const known = new Set(secrets.map((secret) => secret.reveal()))
  let lately: readonly Secret[] = []
  let other: Redact | undefined
  return {
    redact: (text) => (other === undefined ? first(text) : first(other(text))),
    renew: (next) => {
      const more = next.filter((secret) => !known.has(secret.reveal()))
      // Requests of the config before may still meet its keys.
      const all = [...lately, ...more]
      other = all.length === 0 ? undefined : createRedact(all)
      lately = more
    },
  }
}
