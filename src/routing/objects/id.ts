import { hash } from 'node:crypto'
import { GatewayError } from '../../core/failure.ts'

/** What lives at a provider and is asked for by its id. */
export type ObjectKind = 'file' | 'batch' | 'upload' | 'part' | 'response' | 'call'

/** An id that this gateway gave, read. */
export interface ObjectId {
  /** `deploymentKey` of the deployment where it lives. */
  readonly deployment: string
  /** What the provider calls it. */
  readonly upstreamId: string
}

/** As OpenAI's ids begin. */
const PREFIXES: Readonly<Record<ObjectKind, string>> = {
  file: 'file-',
  batch: 'batch_',
  upload: 'upload_',
  part: 'part_',
  response: 'resp_',
  call: 'rtc_',
}
/** Told from a provider's own ids by this; the number is the format's. */
const MARK = 'pg1_'
const OURS = new RegExp(`^(?:${Object.values(PREFIXES).join('|')})${MARK}`)
const KEY_BYTES = 12
const SUM_BYTES = 6
/** The longest id of a provider that is passed on. */
const MAX_UPSTREAM_CHARS = 512
/** An id of a provider as clients write it: nothing in it can leave its place in a path. */
const PLAIN_ID = /^[A-Za-z0-9_-][\w.:-]{0,511}$/

/** Tells deployments apart in ids: half of a SHA-256, so that neither ids nor their lengths say what a config names. */
export function deploymentKey(deploymentId: string): string {
  return hash('sha256', deploymentId, 'buffer').toString('base64url', 0, KEY_BYTES)
}

/**
 * The id that clients get: it holds the deployment and the provider's id, so that it is understood after a restart and
 * by every instance with the same config. Its sum finds slips of the pen; it is no signature, for whoever may ask a
 * deployment may name any id there.
 */
export function encodeObjectId(kind: ObjectKind, deployment: string, upstreamId: string): string {
  const key = Buffer.from(deployment, 'base64url')
  const sum = sumOf(kind, deployment, upstreamId)
  return `${PREFIXES[kind]}${MARK}${Buffer.concat([key, sum, Buffer.from(upstreamId)]).toString('base64url')}`
}

/**
 * Reads an id; undefined for one that is the provider's own.
 * @throws GatewayError not_found (404, the client's doing) for one of ours that was altered, or is of another kind, and
 * for what no id looks like
 */
export function decodeObjectId(kind: ObjectKind, id: string): ObjectId | undefined {
  if (!OURS.test(id)) {
    if (PLAIN_ID.test(id)) return undefined
    throw noSuch(kind, id, 'that is no id')
  }
  const prefix = PREFIXES[kind] + MARK
  if (!id.startsWith(prefix)) throw noSuch(kind, id, 'it is the id of something else')
  const text = id.slice(prefix.length)
  const bytes = Buffer.from(text, 'base64url')
  const deployment = bytes.toString('base64url', 0, KEY_BYTES)
  const upstreamId = bytes.toString('utf8', KEY_BYTES + SUM_BYTES)
  const isWhole =
    bytes.toString('base64url') === text &&
    isPassable(upstreamId) &&
    sumOf(kind, deployment, upstreamId).equals(bytes.subarray(KEY_BYTES, KEY_BYTES + SUM_BYTES))
  if (!isWhole) throw noSuch(kind, id, 'it was cut or altered since this gateway gave it')
  return { deployment, upstreamId }
}

/** False for an id that could not be given to a client, or would leave its place in a path. */
export function isPassable(upstreamId: string): boolean {
  return upstreamId !== '' && upstreamId.length <= MAX_UPSTREAM_CHARS && !/^\.\.?$/.test(upstreamId)
}

/** A 404 of the client's making. */
export function noSuch(kind: ObjectKind, id: string, why: string): GatewayError {
  return new GatewayError('not_found', `No such ${kind}: ${id.slice(0, 128)}: ${why}.`, {
    status: 404,
    source: 'client',
    param: 'id',
  })
}

function sumOf(kind: ObjectKind, deployment: string, upstreamId: string): Buffer {
  return hash('sha256', `${kind}\0${deployment}\0${upstreamId}`, 'buffer').subarray(0, SUM_BYTES)
}
