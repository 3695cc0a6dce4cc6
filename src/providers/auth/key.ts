import type { Deployment } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'

/** The process environment, as an argument. */
export type Env = Readonly<Record<string, string | undefined>>

/** The first variable of the list that is set to something. */
export function fromEnv(env: Env, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = env[name]
    if (value !== undefined && value !== '') return value
  }
  return undefined
}

/** The deployment's key: `api_key` as written (whatever it says), else the first variable that is set. */
export function findKey(deployment: Deployment, env: Env, names: readonly string[]): Secret | undefined {
  const written = deployment.connection.apiKey
  if (written !== undefined && written.reveal() !== '') return written
  const value = fromEnv(env, names)
  return value === undefined ? undefined : new Secret(value)
}

/** Why nothing can be sent, and every way to mend it. */
export function keyMissing(names: readonly string[]): { readonly message: string } {
  return { message: `no API key: set api_key in litellm_params${orEnvironment(names)}` }
}

/** Why nothing can be sent, and every way to mend it. */
export function baseMissing(names: readonly string[]): { readonly message: string } {
  return { message: `no address: set api_base in litellm_params${orEnvironment(names)}` }
}

function orEnvironment(names: readonly string[]): string {
  return names.length === 0 ? '' : `, or ${names.join(' or ')} in the environment`
}
