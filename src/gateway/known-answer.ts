import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RouteContext } from './gateway.ts'

/** Says whether a reader knows the health already that it would be told. */
export interface KnownAnswer {
  /** Puts the tag and how long it holds into the answer; true where the reader has it, and a 304 will do. */
  has(request: FastifyRequest, reply: FastifyReply, form: string): boolean
}

/** Time alone changes what is told, too: what is known grows stale. So long a tag holds at most, milliseconds. */
const MOST_AGE_MS = 10_000

/** Tags are weak (RFC 9110 §8.8.1): the board's version, which says nothing of the millisecond of each next look. */
export function createKnownAnswer({
  board,
  clock,
  random,
}: Pick<RouteContext, 'board' | 'clock' | 'random'>): KnownAnswer {
  // Versions begin anew with each process.
  const process = Math.floor(random() * 36 ** 6).toString(36) + clock.now().toString(36)
  return {
    has: (request, reply, form) => {
      const slot = Math.floor(clock.elapsed() / MOST_AGE_MS)
      const isolated = board.isIsolated() ? 'i' : ''
      const tag = `W/"${process}.${board.version()}.${slot}${isolated}${form}"`
      reply.headers({ etag: tag, 'cache-control': 'private, max-age=1, must-revalidate', vary: 'accept' })
      return matches(request.headers['if-none-match'], tag)
    },
  }
}

/** Weak comparison (RFC 9110 §13.1.2); proxies may have made a strong tag of ours. */
function matches(given: string | undefined, tag: string): boolean {
  if (given === undefined) return false
  const bare = (text: string): string => text.trim().replace(/^W\//, '')
  return given.trim() === '*' || given.split(',').some((each) => bare(each) === bare(tag))
}
