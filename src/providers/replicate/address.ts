import { GatewayError } from '../../core/failure.ts'
import type { Target } from '../adapter.ts'

/** The base without the route that LiteLLM's users paste it with. */
export function replicateBase({ base }: Pick<Target, 'base'>): string {
  return base.replace(/\/(?:predictions|models|deployments)$/, '')
}

/** The 64 hex digits of a version. */
const VERSION = /^[0-9a-f]{64}$/

/**
 * Where a prediction is made: `owner/name` is an official model, `owner/name:version` one version of any,
 * `deployments/owner/name` somebody's own hardware.
 * @throws GatewayError bad_request for what is none of these
 */
export function predictionsUrl(target: Target): { readonly url: string; readonly version?: string } {
  const base = replicateBase(target)
  const [name = '', version] = target.model.split(':')
  if (version !== undefined) return { url: `${base}/predictions`, version }
  if (VERSION.test(name)) return { url: `${base}/predictions`, version: name }
  const parts = name.split('/')
  if (parts.some((part) => /^\.{0,2}$/.test(part))) throw noModel(name)
  const path = parts.map(encodeURIComponent).join('/')
  return {
    url: path.startsWith('deployments/')
      ? `${base}/${path}/predictions`
      : `${base}/models/${path}/predictions`,
  }
}

/** Of a wildcard the client names the model: it must not lead elsewhere. */
function noModel(name: string): GatewayError {
  return new GatewayError(
    'bad_request',
    `"${name.slice(0, 128)}" is no model of Replicate's: owner/name, owner/name:version or deployments/owner/name`,
    { status: 400, source: 'client', param: 'model' },
  )
}

/** Where Replicate's streams live (https://replicate.com/docs/topics/predictions/streaming, read 2026-11-27). */
const STREAM_HOSTS: ReadonlySet<string> = new Set([
  'https://stream.replicate.com',
  'https://streaming.api.replicate.com',
])

/**
 * The address of a stream that a prediction names: on the deployment's own host, or where Replicate's are; undefined for
 * any other, for whoever answers must not choose where the gateway goes.
 */
export function streamAddress(
  named: string,
  { base }: Pick<Target, 'base'>,
): { readonly url: string; readonly isOwn: boolean } | undefined {
  const url = URL.canParse(named) ? new URL(named) : undefined
  if (url === undefined || url.username !== '' || url.password !== '') return undefined
  const isOwn = url.origin === new URL(base).origin
  return isOwn || STREAM_HOSTS.has(url.origin) ? { url: url.href, isOwn } : undefined
}
