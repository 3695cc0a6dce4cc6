import { percentDecoded } from '../core/address.ts'
import { Secret } from '../core/secret.ts'
import type { Environment } from './config.ts'

/** Collects secrets while a config is read. The same text is one Secret. */
export interface SecretBag {
  /** Wraps a text and remembers it. */
  keep(text: string): Secret
  all(): readonly Secret[]
}

/** Makes an empty bag. */
export function createSecretBag(): SecretBag {
  const known = new Map<string, Secret>()
  return {
    keep: (text) => {
      const before = known.get(text)
      if (before !== undefined) return before
      const secret = new Secret(text)
      known.set(text, secret)
      return secret
    },
    all: () => [...known.values()],
  }
}

const SECRET_WORDS: ReadonlySet<string> = new Set([
  'password',
  'passwords',
  'passwd',
  'passphrase',
  'pwd',
  'secret',
  'secrets',
  'key',
  'apikey',
  'token',
  'auth',
  'authorization',
  'bearer',
  'jwt',
  'cookie',
  'credential',
  'credentials',
  'access',
  'private',
  'certificate',
  'certificates',
  'fingerprint',
  'tenancy',
])

/** True for names such as `api_key` or `X-Auth-Token`, not for prices (`input_cost_per_token`). */
export function looksSecret(name: string): boolean {
  const words = name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[_\-\s.]+/)
  return words.some((word) => SECRET_WORDS.has(word)) && !words.includes('cost')
}

// `auth` and `access` name sockets and modes in environments (SSH_AUTH_SOCK), so they are not in here.
const SECRET_VARIABLE =
  /(?:^|_)(?:API)?(?:KEYS?|TOKENS?|SECRETS?|PASSWORD|PASSWD|PASS|CREDENTIALS?|PAT)(?:_\d+)?$/i

/** Remembers what an environment holds of secrets: variables named like one, and passwords in URLs. */
export function keepEnvironment(env: Environment, bag: SecretBag): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue
    if (SECRET_VARIABLE.test(name)) bag.keep(value)
    keepUrlPassword(value, bag)
  }
}

/** Remembers the user info of a URL: `user:password@`, and the password alone. */
export function keepUrlPassword(text: string, bag: SecretBag): void {
  const userInfo = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\s]*)@/i.exec(text)?.[1]
  if (userInfo === undefined) return
  bag.keep(userInfo)
  const password = userInfo.slice(userInfo.indexOf(':') + 1)
  if (password !== userInfo) bag.keep(percentDecoded(password))
}

/** Headers whose values say nothing secret: hiding `application/json` would blot it out of every text. */
export const PLAIN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'anthropic-beta',
  'content-type',
  'user-agent',
])

/** The few names that are surely secret, for maps whose keys are the user's own. */
export function isSurelySecret(name: string): boolean {
  return /(?:^|_)(?:api_?key|secret|password|token|credentials?)$/i.test(name)
}

/** LiteLLM's mask: the first and last four characters. Texts that this would mostly give away are all stars. */
export function masked(text: string): string {
  if (text.length < 16) return '*'.repeat(text.length)
  return `${text.slice(0, 4)}${'*'.repeat(text.length - 8)}${text.slice(-4)}`
}
