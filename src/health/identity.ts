import { createHash } from 'node:crypto'
import type { Deployment } from '../core/deployment.ts'
import { addressOf } from './subject.ts'
import type { LineOrProblem } from './subject.ts'

/**
 * What a deployment is and where it leads, as a text that stays the same over restarts and reloads: whoever has the
 * same one may inherit what was known. Its key takes part with 16 bits of a hash: another key shows, and nobody can
 * learn or even confirm a key from them.
 */
export function identityOf(deployment: Deployment, line: LineOrProblem): string {
  const { id, group, model, provider, upstreamModel, mode, connection, probe } = deployment
  const base = addressOf(line) ?? connection.apiBase ?? ''
  const place = [id, group, model, provider, upstreamModel, mode, base, connection.apiVersion ?? '']
  const asked = probe.model?.model ?? ''
  const { apiKey, azureAdToken, organization, apiBaseQuery, headers, settings, secrets: own } = connection
  const secrets = [apiKey, azureAdToken, organization, apiBaseQuery].map((secret) => secret?.reveal() ?? '')
  const sent = Object.entries(headers).map(([name, value]) => `${name}: ${value.reveal()}`)
  const more = Object.entries(own ?? {}).map(([name, value]) => `${name}: ${value.reveal()}`)
  const mark = hashOf([...secrets, ...sent, ...more]).slice(0, 4)
  const set = settings === undefined ? [] : [JSON.stringify(settings)]
  return `${hashOf([...place, asked, ...set]).slice(0, 32)}-${mark}`
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
