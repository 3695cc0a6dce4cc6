import type { NativeCall } from './native.ts'

/** Was a key sent as a bearer, and is it one of the valid ones? */
export function hasBearer({ headers, keys }: NativeCall): boolean {
  const key = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1]
  return key !== undefined && (keys === undefined || keys.has(key))
}
